//! Looks after the checkpoints of all read models of a process: stores how far events go that concern none,
//! and notices what others have made of them.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout_at},
};

use crate::{
    Projection,
    database::{Connection, Database},
    progress::{Place, Progress},
    runner::ProjectionError,
};

/// How often all checkpoints are looked at.
const REFRESH: Duration = Duration::from_secs(1);
/// For how long events that concern nobody are gathered before checkpoints move. Other processes
/// see by it how far it is.
const GATHER: Duration = Duration::from_millis(20);

/// Looks after the checkpoints of `what` for as long as it is polled: stores what was passed over soon after it is
/// told of it, and looks at all once a second.
pub async fn keep_checkpoints<E, S, L>(
    what: &'static str,
    skipped: &Notify,
    store: impl Fn() -> S,
    refresh: impl Fn() -> L,
) where
    E: std::error::Error + 'static,
    S: Future<Output = Result<(), E>>,
    L: Future<Output = Result<(), E>>,
{
    let mut refreshed = Instant::now();
    loop {
        let due = refreshed + REFRESH;
        let mut done = Ok(());
        if timeout_at(due, skipped.notified()).await.is_ok() {
            sleep(GATHER).await;
            done = store().await;
        }
        // Also while there is always something to store.
        if due <= Instant::now() {
            refreshed = Instant::now();
            done = done.and(refresh().await);
        }
        if let Err(error) = done {
            tracing::warn!(
                what,
                error = &error as &dyn std::error::Error,
                "checkpoints are not known"
            );
            sleep(REFRESH).await;
        }
    }
}

/// The checkpoints of some read models.
pub(crate) struct Checkpoints<D> {
    pub(crate) database: D,
    pub(crate) progress: Vec<Arc<Progress>>,
    /// Notified by followers that have skipped events.
    pub(crate) skipped: Arc<Notify>,
}

/// A checkpoint that is to be moved past events that do not concern its read model.
pub(crate) struct Move {
    pub(crate) projection: Projection,
    pub(crate) place: Place,
}

impl<D: Database> Checkpoints<D> {
    /// Looks after them for as long as it is polled.
    pub(crate) async fn keep(&self) {
        keep_checkpoints("read models", &self.skipped, || self.store(), || self.refresh()).await;
    }

    /// Moves the checkpoints past what was passed over, all in one statement. One that is not where it was
    /// stays there, and its follower looks at the events again.
    async fn store(&self) -> Result<(), ProjectionError> {
        let places = self.progress.iter().map(|progress| (progress, progress.place()));
        let moved: Vec<_> = places.filter(|(_, place)| place.stored < place.reached).collect();
        if moved.is_empty() {
            return Ok(());
        }
        let moves: Vec<Move> = moved
            .iter()
            .map(|&(progress, place)| Move { projection: progress.projection(), place })
            .collect();
        let stored = self.advance(&moves).await;
        for (progress, place) in moved {
            let name = progress.projection().name;
            match &stored {
                Ok(stored) if stored.iter().any(|one| one == name) => progress.stored(place),
                Ok(_) | Err(_) => progress.forget(place),
            }
        }
        stored.map(drop)
    }

    async fn advance(&self, moves: &[Move]) -> Result<Vec<String>, ProjectionError> {
        self.database.connect().await?.advance(moves).await
    }

    async fn refresh(&self) -> Result<(), ProjectionError> {
        let mut seen = self.database.connect().await?.checkpoints().await?;
        for progress in &self.progress {
            if let Some(seen) = seen.remove(progress.projection().name) {
                progress.observe_checkpoint(seen);
            }
        }
        Ok(())
    }
}
