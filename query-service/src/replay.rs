//! Replays the events of one aggregate. Long histories are read in parts, and replayed under a
//! concurrency limit on a thread that serves no requests.

use std::{pin::pin, sync::LazyLock};

use domain::Event;
use event_log::{At, RecordedEvent};
use futures::TryStreamExt;
use projections::ReadError;
use service_kit::{concurrency::ConcurrencyLimit, problem::Problem};
use uuid::Uuid;

use crate::{
    Queries,
    asker::{Asker, problem},
};

/// The limit of concurrent replays.
static LIMIT: LazyLock<ConcurrencyLimit> = LazyLock::new(|| ConcurrencyLimit::new("history", 2));

/// This many bytes of payload are replayed within milliseconds, so they need no permit.
const SHORT: usize = 128 * 1024;

/// The state built by a replay.
pub(crate) trait Hearer: Sized + Send + 'static {
    /// Applies the next event.
    fn hear(&mut self, event: Event, recorded: &RecordedEvent) -> Result<(), Problem>;

    fn hear_all(mut self, stretch: &[RecordedEvent]) -> Result<Self, Problem> {
        for recorded in stretch {
            let event = recorded.event().map_err(|error| Problem::internal(&error))?;
            self.hear(event, recorded)?;
        }
        Ok(self)
    }
}

/// Replays the events up to a moment.
pub(crate) async fn replay<H: Hearer>(
    queries: &Queries,
    asker: &Asker,
    id: Uuid,
    at: At,
    mut hearer: H,
) -> Result<H, Problem> {
    let read = |error| problem(ReadError::Log(error));
    let mut stretches = pin!(queries.log.stretches_until(id, at));
    let mut place = None;
    while let Some(stretch) = stretches.try_next().await.map_err(read)? {
        let bytes: usize = stretch.iter().map(|recorded| recorded.payload.len()).sum();
        if place.is_none() && bytes > SHORT {
            place = Some(LIMIT.take(asker.key()).await?);
        }
        hearer = match &place {
            None => hearer.hear_all(&stretch)?,
            Some(place) => place
                .beside(move || hearer.hear_all(&stretch))
                .await
                .map_err(|error| Problem::internal(&error))??,
        };
    }
    Ok(hearer)
}
