//! Keeps one read model up with a log, whatever log and whatever database.

use std::time::Duration;

use event_log::Position;
use metrics::gauge;
use service_kit::health::explained;
use tokio::sync::watch;

use crate::{
    Projection, Status,
    database::{Connection, Database, Log, Transaction},
    runner::{BATCH, ProjectionError},
};

/// Follows a log.
pub(crate) struct Follower<L, D> {
    log: L,
    database: D,
    projection: Projection,
    status: watch::Sender<Status>,
}

impl<L: Log, D: Database> Follower<L, D> {
    pub(crate) fn new(
        log: L,
        database: D,
        projection: Projection,
        status: watch::Sender<Status>,
    ) -> Self {
        Self { log, database, projection, status }
    }

    pub(crate) async fn run(self) {
        let mut committed = self.log.committed();
        let mut pause = Duration::from_millis(100);
        loop {
            committed.mark_unchanged();
            let advanced = match self.advance(BATCH).await {
                // Event by event, so that all before the poisonous one take effect.
                Err(error) if !error.is_transient() => self.advance_singly().await,
                advanced => advanced,
            };
            match advanced {
                Ok(0) => {
                    pause = Duration::from_millis(100);
                    // Other processes write too, so it looks by itself now and then.
                    let _ = tokio::time::timeout(pause, committed.changed()).await;
                }
                Ok(_) => pause = Duration::from_millis(100),
                Err(error) if error.is_transient() => {
                    tracing::warn!(
                        projection = self.projection.name,
                        error = &error as &dyn std::error::Error,
                        "read model waits"
                    );
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
                Err(error) => {
                    self.stop(&error).await;
                    tokio::time::sleep(Duration::from_secs(5)).await;
                }
            }
        }
    }

    /// Applies what there is, one event at a time; then there is nothing left.
    async fn advance_singly(&self) -> Result<usize, ProjectionError> {
        while self.advance(1).await? > 0 {}
        Ok(0)
    }

    /// Applies the next events, at most `limit`; says how many.
    #[tracing::instrument(level = "debug", skip_all, fields(projection = self.projection.name))]
    async fn advance(&self, limit: usize) -> Result<usize, ProjectionError> {
        let projection = self.projection;
        let reached = self.reached();
        let events = self.log.read(reached, limit).await?;
        let mut connection = self.database.connect().await?;
        let Some(last) = events.last().map(|event| event.position) else {
            return self.still(reached, &connection).await;
        };
        let mut transaction = connection.begin().await?;
        let Some(position) = transaction.lock(projection).await? else {
            return Err(ProjectionError::Missing(projection.name));
        };
        if position != reached {
            // Another runner was here, or the process has just started.
            self.announce(Status::Following(position));
            return Ok(1);
        }
        transaction.apply(projection, &events).await?;
        transaction.checkpoint(projection, last).await?;
        transaction.commit().await?;
        self.announce(Status::Following(last));
        Ok(events.len())
    }

    /// Nothing new has happened; but a crash of PostgreSQL may have taken back what was made last.
    async fn still(
        &self,
        reached: Position,
        connection: &D::Connection,
    ) -> Result<usize, ProjectionError> {
        let position = connection.position(self.projection).await?;
        match position.ok_or(ProjectionError::Missing(self.projection.name))? {
            position if position == reached => Ok(0),
            position => {
                self.announce(Status::Following(position));
                Ok(1)
            }
        }
    }

    async fn stop(&self, error: &ProjectionError) {
        let (at, projection) = (self.reached(), self.projection);
        let reason = explained(error);
        tracing::error!(projection = projection.name, position = at.0 + 1, reason, "poison event");
        let recorded = async {
            let connection = self.database.connect().await?;
            connection.record_failure(projection, Position(at.0 + 1), &reason).await
        };
        if let Err(error) = recorded.await {
            tracing::error!(error = &error as &dyn std::error::Error, "failure not recorded");
        }
        self.announce(Status::Stopped { at, reason });
    }

    fn reached(&self) -> Position {
        self.status.borrow().position()
    }

    pub(crate) fn announce(&self, status: Status) {
        #[allow(clippy::cast_precision_loss, reason = "a metric is a float")]
        let (position, head) = (status.position().0 as f64, self.log.committed().borrow().0 as f64);
        let stopped = matches!(status, Status::Stopped { .. });
        gauge!("kontor_projection_position", "projection" => self.projection.name).set(position);
        gauge!("kontor_projection_lag_events", "projection" => self.projection.name)
            .set((head - position).max(0.0));
        gauge!("kontor_projection_stopped", "projection" => self.projection.name).set(if stopped {
            1.0
        } else {
            0.0
        });
        self.status.send_if_modified(|present| {
            let changed = *present != status;
            *present = status;
            changed
        });
    }
}
