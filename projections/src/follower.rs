//! The follower of one read model: applies the events of a log; generic over log and database.
//!
//! It does not poll: the tail of the log announces events, and one task of the process reads the
//! checkpoints of all read models. Events that change nothing in the read model cost no transaction;
//! that task stores the checkpoint after them.

use std::{sync::Arc, time::Duration};

use event_log::Position;
use service_kit::health::explained;
use tokio::sync::{Notify, watch};

use crate::{
    State,
    applying::{self, Checkpoint},
    database::{Connection, Database, Log, Transaction},
    progress::{Place, Progress, Seen},
    runner::{BATCH, ProjectionError},
};

/// The first backoff after an error.
const SHORT: Duration = Duration::from_millis(100);
/// The longest backoff, also after an event that cannot be applied.
const LONG: Duration = Duration::from_secs(5);

/// Follows a log.
pub(crate) struct Follower<L, D> {
    pub(crate) log: L,
    pub(crate) database: D,
    pub(crate) progress: Arc<Progress>,
    /// Whether this process is the leader that updates the read models.
    pub(crate) leads: watch::Receiver<bool>,
    /// Notified when a checkpoint is behind the events that were skipped.
    pub(crate) skipped: Arc<Notify>,
}

impl<L: Log, D: Database> Follower<L, D> {
    pub(crate) async fn run(self) {
        let (mut reached, mut leads) = (self.log.reached(), self.leads.clone());
        let mut seen = self.progress.seen();
        let mut pause = SHORT;
        loop {
            reached.mark_unchanged();
            let is_leading = *leads.borrow_and_update();
            let mut from = self.progress.place();
            let advanced = self.turn(is_leading, &mut seen, &mut from).await;
            self.progress.measure(*reached.borrow());
            match advanced {
                Ok(0) | Err(ProjectionError::OtherBuild(_)) => {
                    pause = SHORT;
                    // The senders live as long as the process.
                    tokio::select! {
                        _ = reached.changed() => {}
                        _ = seen.changed() => seen.mark_changed(),
                        _ = leads.changed() => {
                            leads.mark_changed();
                            seen.mark_changed();
                        }
                    }
                }
                Ok(_) => pause = SHORT,
                Err(error) if error.is_transient() => {
                    tracing::warn!(
                        projection = self.progress.projection().name,
                        error = &error as &dyn std::error::Error,
                        "read model waits"
                    );
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONG);
                }
                Err(error) => {
                    self.stop(from, &error).await;
                    tokio::time::sleep(LONG).await;
                }
            }
        }
    }

    /// Handles a checkpoint that was read, then applies the next events if this process is the
    /// leader; returns the place before them.
    async fn turn(
        &self,
        is_leading: bool,
        seen: &mut watch::Receiver<Option<Seen>>,
        from: &mut Place,
    ) -> Result<usize, ProjectionError> {
        let news = if seen.has_changed().unwrap_or(false) {
            seen.borrow_and_update().clone()
        } else {
            None
        };
        if let Some(news) = news
            && let Err(error) = self.follow_checkpoint(is_leading, &news).await
        {
            // It is handled again.
            seen.mark_changed();
            return Err(error);
        }
        if self.progress.present().state == State::OtherBuild {
            return Err(ProjectionError::OtherBuild(self.progress.projection().name));
        }
        if !is_leading {
            return Ok(0);
        }
        *from = self.progress.place();
        match self.advance(*from, applying::Way::Together).await {
            // All events before the one that cannot be applied take effect.
            Err(error) if error.is_of_an_event() => {
                self.advance(*from, applying::Way::Singly).await
            }
            advanced => advanced,
        }
    }

    /// Handles a checkpoint that was read.
    async fn follow_checkpoint(
        &self,
        is_leading: bool,
        seen: &Seen,
    ) -> Result<(), ProjectionError> {
        let is_ours = is_leading && self.progress.is_own(seen);
        // A crash of PostgreSQL may have undone the last transaction, or a rebuild may have applied
        // what was set aside.
        let is_other =
            if is_ours { !self.progress.agrees(seen) } else { !self.progress.leaves_out_as(seen) };
        if is_other {
            match self.reload_checkpoint().await {
                Ok(()) | Err(ProjectionError::OtherBuild(_)) => {}
                Err(error) => return Err(error),
            }
        }
        if !is_ours {
            self.progress.observe(seen);
        }
        Ok(())
    }

    /// Applies the next events; returns their number.
    #[tracing::instrument(level = "debug", skip_all, fields(projection = self.progress.projection().name))]
    async fn advance(&self, place: Place, way: applying::Way) -> Result<usize, ProjectionError> {
        let projection = self.progress.projection();
        let events = self.log.follow(projection.reads, place.reached, BATCH).await?;
        let events = applying::page(projection, events);
        let Some(last) = events.last() else { return Ok(0) };
        if events.iter().all(|event| applying::changes_nothing(projection, event)) {
            self.progress.skip(last);
            self.skipped.notify_one();
            return Ok(events.len());
        }
        let mut connection = self.database.connect().await?;
        let mut transaction = connection.begin().await?;
        let checkpoint = transaction.lock(projection).await?;
        let mut checkpoint = checkpoint.ok_or(ProjectionError::Missing(projection.name))?;
        let before = checkpoint.position;
        if !place.includes(before) || !checkpoint.is_of(projection) {
            // Another runner has moved it, or the process has just started.
            return self.adopt(&checkpoint).map(|()| 1);
        }
        let stopped =
            applying::apply(&mut transaction, projection, &mut checkpoint, &events, way).await?;
        if checkpoint.position != before {
            transaction.commit().await?;
            self.progress.set(&checkpoint);
        }
        stopped.map_or(Ok(events.len()), Err)
    }

    /// Continues from the stored checkpoint.
    async fn reload_checkpoint(&self) -> Result<(), ProjectionError> {
        let projection = self.progress.projection();
        let connection = self.database.connect().await?;
        let checkpoint = connection.checkpoint(projection).await?;
        let checkpoint = checkpoint.ok_or(ProjectionError::Missing(projection.name))?;
        self.adopt(&checkpoint)
    }

    /// Continues from a checkpoint of another process, unless it is of another build.
    pub(crate) fn adopt(&self, checkpoint: &Checkpoint) -> Result<(), ProjectionError> {
        adopt(&self.progress, checkpoint)
    }

    /// What was passed over may be forgotten meanwhile, so where it began is what it was.
    async fn stop(&self, from: Place, error: &ProjectionError) {
        let (at, projection) =
            (self.progress.place().reached.max(from.reached), self.progress.projection());
        let reason = explained(error);
        tracing::error!(projection = projection.name, position = at.0 + 1, reason, "poison event");
        let recorded = async {
            let connection = self.database.connect().await?;
            connection.record_failure(projection, Position(at.0 + 1), &reason).await
        };
        if let Err(error) = recorded.await {
            tracing::error!(error = &error as &dyn std::error::Error, "failure not recorded");
        }
        self.progress.stop_for(reason);
    }
}

/// Continues from a checkpoint of another process, unless it is of another build.
pub(crate) fn adopt(progress: &Progress, checkpoint: &Checkpoint) -> Result<(), ProjectionError> {
    progress.set(checkpoint);
    if checkpoint.is_of(progress.projection()) {
        Ok(())
    } else {
        Err(ProjectionError::OtherBuild(progress.projection().name))
    }
}
