//! Keeps one read model up with a log, whatever log and whatever database.

use std::time::Duration;

use event_log::Position;
use metrics::gauge;
use service_kit::health::explained;
use tokio::sync::watch;

use crate::{
    Projection, State, Status,
    applying::{self, Checkpoint},
    database::{Connection, Database, Log, Transaction},
    runner::{BATCH, ProjectionError},
};

/// How long it waits for other processes' events, and after the first error.
const SHORT: Duration = Duration::from_millis(100);
/// How long it waits after many errors, and for an event that cannot be applied to be mended.
const LONG: Duration = Duration::from_secs(5);
/// How often it looks whether the read model of another build is its own again.
const FOREIGN: Duration = Duration::from_secs(1);

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
        let mut pause = SHORT;
        loop {
            committed.mark_unchanged();
            let advanced = match self.advance(applying::Way::Together).await {
                // All but the one that cannot be applied take effect.
                Err(error) if error.is_of_an_event() => self.advance(applying::Way::Singly).await,
                advanced => advanced,
            };
            match advanced {
                Ok(0) => {
                    pause = SHORT;
                    // Other processes write too, so it looks by itself now and then.
                    let _ = tokio::time::timeout(pause, committed.changed()).await;
                }
                Ok(_) => pause = SHORT,
                Err(ProjectionError::OtherBuild(_)) => tokio::time::sleep(FOREIGN).await,
                Err(error) if error.is_transient() => {
                    tracing::warn!(
                        projection = self.projection.name,
                        error = &error as &dyn std::error::Error,
                        "read model waits"
                    );
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONG);
                }
                Err(error) => {
                    self.stop(&error).await;
                    tokio::time::sleep(LONG).await;
                }
            }
        }
    }

    /// Applies the next events; says how many.
    #[tracing::instrument(level = "debug", skip_all, fields(projection = self.projection.name))]
    async fn advance(&self, way: applying::Way) -> Result<usize, ProjectionError> {
        let projection = self.projection;
        let reached = self.reached();
        let events = applying::page(self.log.read(reached, BATCH).await?);
        let mut connection = self.database.connect().await?;
        if events.is_empty() {
            return self.still(reached, &connection).await;
        }
        let mut transaction = connection.begin().await?;
        let checkpoint = transaction.lock(projection).await?;
        let mut checkpoint = checkpoint.ok_or(ProjectionError::Missing(projection.name))?;
        if checkpoint.position != reached || !checkpoint.is_of(projection) {
            // Another runner was here, or the process has just started.
            return self.adopt(&checkpoint).map(|()| 1);
        }
        let stopped =
            applying::apply(&mut transaction, projection, &mut checkpoint, &events, way).await?;
        if checkpoint.position != reached {
            transaction.commit().await?;
            self.announce(following(&checkpoint));
        }
        stopped.map_or(Ok(events.len()), Err)
    }

    /// Nothing new has happened; but a crash of PostgreSQL may have taken back what was made last,
    /// or a rebuild may have tried again what was set aside.
    async fn still(
        &self,
        reached: Position,
        connection: &D::Connection,
    ) -> Result<usize, ProjectionError> {
        let checkpoint = connection.checkpoint(self.projection).await?;
        let checkpoint = checkpoint.ok_or(ProjectionError::Missing(self.projection.name))?;
        self.adopt(&checkpoint)?;
        Ok(usize::from(checkpoint.position != reached))
    }

    /// Goes on from a checkpoint that another has made, unless it is of another build.
    pub(crate) fn adopt(&self, checkpoint: &Checkpoint) -> Result<(), ProjectionError> {
        let following = following(checkpoint);
        if checkpoint.is_of(self.projection) {
            self.announce(following);
            return Ok(());
        }
        self.announce(Status { state: State::OtherBuild, ..following });
        Err(ProjectionError::OtherBuild(self.projection.name))
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
        self.stop_for(reason);
    }

    /// Says that it has stopped where it is.
    pub(crate) fn stop_for(&self, reason: String) {
        let present = self.status.borrow().clone();
        self.announce(Status { state: State::Stopped { reason }, ..present });
    }

    fn reached(&self) -> Position {
        self.status.borrow().position
    }

    fn announce(&self, status: Status) {
        let projection = self.projection.name;
        let head = *self.log.committed().borrow();
        let stopped = status.state != State::Following;
        #[allow(clippy::cast_precision_loss, reason = "a metric is a float")]
        let [position, lag, aside] = [
            status.position.0,
            head.0.saturating_sub(status.position.0),
            status.set_aside.len() as u64,
        ]
        .map(|figure| figure as f64);
        let stopped = if stopped { 1.0 } else { 0.0 };
        gauge!("kontor_projection_position", "projection" => projection).set(position);
        gauge!("kontor_projection_lag_events", "projection" => projection).set(lag);
        gauge!("kontor_projection_stopped", "projection" => projection).set(stopped);
        gauge!("kontor_projection_set_aside", "projection" => projection).set(aside);
        self.status.send_if_modified(|present| {
            let changed = *present != status;
            *present = status;
            changed
        });
    }
}

fn following(checkpoint: &Checkpoint) -> Status {
    let set_aside = checkpoint.set_aside.as_slice().into();
    Status { set_aside, ..Status::following(checkpoint.position) }
}
