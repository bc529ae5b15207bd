//! The task that stores the checkpoints of all read models of a process after events that
//! change nothing, and reads changes by other processes.

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

/// The interval at which all checkpoints are read.
const REFRESH: Duration = Duration::from_secs(1);
/// How long skipped events are collected before the checkpoints are stored, from which other
/// processes see the progress.
const GATHER: Duration = Duration::from_millis(20);

/// Runs for as long as it is polled: stores the checkpoints of `what` soon after events were
/// skipped, and reads all of them once a second.
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
        // Also if there is something to store all the time.
        if due <= Instant::now() {
            refreshed = Instant::now();
            done = done.and(refresh().await);
        }
        if let Err(error) = done {
            tracing::warn!(
                what,
                error = &error as &dyn std::error::Error,
                "checkpoints cannot be read or stored"
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

/// A checkpoint to move past events that change nothing in its read model.
pub(crate) struct Move {
    pub(crate) projection: Projection,
    pub(crate) place: Place,
}

impl<D: Database> Checkpoints<D> {
    /// Keeps them for as long as it is polled.
    pub(crate) async fn keep(&self) {
        keep_checkpoints("read models", &self.skipped, || self.store(), || self.refresh()).await;
    }

    /// Moves the checkpoints past skipped events, all in one statement. One that has changed
    /// meanwhile is not moved, and its follower reads the events again.
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
