//! The runner: keeps every read model up with the log, each at its own pace.
//!
//! The rows and the checkpoint change in one transaction, under the lock of the checkpoint, so an
//! event takes effect exactly once, whatever is killed when and however many runners there are.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use deadpool_postgres::Pool;
use event_log::{EventLog, Position, RecordedEvent};
use futures::{StreamExt, stream::FuturesOrdered};
use metrics::gauge;
use service_kit::{
    health::explained,
    migrations::{Migration, MigrationError, migrate},
};
use tokio::sync::watch;
use tokio_postgres::{Client, Statement, Transaction, types::ToSql};
use tokio_util::sync::CancellationToken;

use crate::{Projection, projection::Change, rebuild, views};

/// Every migration of what schema `view` itself needs; the tables come with their projections.
pub const MIGRATIONS: &[Migration] =
    &[Migration { number: 1, name: "view", sql: include_str!("../migrations/0001_view.sql") }];

/// Why a read model stopped, or could not be built.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// The log could not be read.
    #[error("the log could not be read")]
    Log(#[from] event_log::Error),
    /// PostgreSQL refused.
    #[error("PostgreSQL refused a change of a read model")]
    Database(#[from] tokio_postgres::Error),
    /// PostgreSQL cannot be reached.
    #[error("PostgreSQL cannot be reached")]
    Unavailable(#[from] deadpool_postgres::PoolError),
    /// An event of a newer build, or a damaged one.
    #[error("the event at position {position} cannot be read")]
    Unreadable {
        /// Where it stands.
        position: Position,
        /// Why.
        source: domain::UnreadableEvent,
    },
    /// The read model has no checkpoint: its tables were dropped under it.
    #[error("the read model {0} is not set up")]
    Missing(&'static str),
    /// The schema could not be migrated.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

impl ProjectionError {
    /// Whether trying again may help without anything being mended.
    fn is_transient(&self) -> bool {
        match self {
            Self::Log(error) => error.is_transient(),
            Self::Unavailable(_) => true,
            Self::Database(error) => error.code().is_none_or(|state| {
                // A lost connection, an administrator's doing, or a lost race between runners.
                ["57", "53", "08", "40", "55"].contains(&&state.code()[..2])
            }),
            Self::Unreadable { .. } | Self::Missing(_) | Self::Migration(_) => false,
        }
    }
}

/// How a read model is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It follows the log.
    Following(Position),
    /// An event stopped it; it waits for a build that can handle it, or a rebuild.
    Stopped {
        /// The last position that it shows.
        at: Position,
        /// Why.
        reason: String,
    },
}

impl Status {
    /// The last position that it shows.
    pub fn position(&self) -> Position {
        match self {
            Self::Following(position) | Self::Stopped { at: position, .. } => *position,
        }
    }
}

/// All read models: their database and how far each has got. Cheap to clone.
#[derive(Clone)]
pub struct Views {
    pub(crate) pool: Pool,
    pub(crate) log: EventLog,
    statuses: Arc<BTreeMap<&'static str, watch::Sender<Status>>>,
}

/// A crash of PostgreSQL may take back the last changes, with their checkpoint: they are made
/// again from the log, so nobody waits for the disk here.
const ENTER: &str = "SET LOCAL search_path TO view; SET LOCAL synchronous_commit TO off";
const LOCK: &str = "SELECT position FROM checkpoints WHERE projection = $1 FOR UPDATE";
const POSITION: &str = "SELECT position FROM view.checkpoints WHERE projection = $1";
const ADVANCE: &str = "UPDATE checkpoints SET position = $2 WHERE projection = $1";
const FAIL: &str = "
    INSERT INTO view.failures (projection, position, reason) VALUES ($1, $2, $3)
    ON CONFLICT (projection, position) DO UPDATE SET reason = $3, failed_at = now()";
const CHECKPOINTS: &str = "SELECT projection, position FROM view.checkpoints";

/// How many events are applied in one transaction.
pub(crate) const BATCH: usize = 1_000;

impl Views {
    /// Sets up what is missing: the schema, and the tables of every read model. A read model whose
    /// tables are not those of this build is rebuilt.
    pub async fn open(pool: Pool, log: EventLog) -> Result<Self, ProjectionError> {
        let statuses = views::ALL
            .into_iter()
            .map(|view| (view.name, watch::Sender::new(Status::Following(Position::START))))
            .collect();
        let views = Self { pool, log, statuses: Arc::new(statuses) };
        let mut client = views.pool.get().await?;
        migrate(&mut client, "view", MIGRATIONS).await?;
        drop(client);
        for projection in views::ALL {
            rebuild::set_up(&views, projection).await?;
        }
        // Where to go on, so that no runner reads history that its read model shows already.
        let checkpoints = views.checkpoints().await?;
        for projection in views::ALL {
            let position = checkpoints.get(projection.name).copied();
            let position = position.ok_or(ProjectionError::Missing(projection.name))?;
            views.announce(projection, Status::Following(position));
        }
        Ok(views)
    }

    /// Starts to follow the log, until cancelled.
    pub fn follow(&self, cancel: &CancellationToken) {
        for projection in views::ALL {
            let (views, cancel) = (self.clone(), cancel.clone());
            tokio::spawn(async move {
                cancel.run_until_cancelled(views.run(projection)).await;
            });
        }
    }

    /// How a read model is, as this process knows it.
    pub fn status(&self, name: &str) -> Option<watch::Receiver<Status>> {
        self.statuses.get(name).map(watch::Sender::subscribe)
    }

    /// How far every read model has got, as the database says.
    pub async fn checkpoints(&self) -> Result<BTreeMap<String, Position>, ProjectionError> {
        let rows = self.pool.get().await?.query(CHECKPOINTS, &[]).await?;
        Ok(rows
            .iter()
            .map(|row| (row.get(0), Position(row.get::<_, i64>(1).unsigned_abs())))
            .collect())
    }

    /// A connection for queries.
    pub async fn client(&self) -> Result<deadpool_postgres::Object, crate::ReadError> {
        Ok(self.pool.get().await?)
    }

    async fn run(self, projection: Projection) {
        let mut committed = self.log.committed();
        let mut pause = Duration::from_millis(100);
        loop {
            committed.mark_unchanged();
            match self.advance(projection, BATCH).await {
                Ok(0) => {
                    pause = Duration::from_millis(100);
                    // Other processes write too, so it looks by itself now and then.
                    let _ = tokio::time::timeout(pause, committed.changed()).await;
                }
                Ok(_) => pause = Duration::from_millis(100),
                Err(error) if error.is_transient() => {
                    tracing::warn!(
                        projection = projection.name,
                        error = &error as &dyn std::error::Error,
                        "read model waits"
                    );
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
                Err(_) => {
                    // Event by event, so that all before the poisonous one take effect.
                    if let Err(error) = self.advance_singly(projection).await {
                        self.stop(projection, &error).await;
                        tokio::time::sleep(Duration::from_secs(5)).await;
                    }
                }
            }
        }
    }

    async fn advance_singly(&self, projection: Projection) -> Result<(), ProjectionError> {
        while self.advance(projection, 1).await? > 0 {}
        Ok(())
    }

    /// Applies the next events, at most `limit`; says how many.
    #[tracing::instrument(level = "debug", skip_all, fields(projection = projection.name))]
    async fn advance(
        &self,
        projection: Projection,
        limit: usize,
    ) -> Result<usize, ProjectionError> {
        let reached = self.status_of(projection).borrow().position();
        let events = self.log.read(reached, limit).await?;
        let mut client = self.pool.get().await?;
        let Some(last) = events.last().map(|event| event.position) else {
            return self.still(projection, reached, &client).await;
        };
        let transaction = client.transaction().await?;
        transaction.batch_execute(ENTER).await?;
        let Some(position) = lock(&transaction, projection).await? else {
            return Err(ProjectionError::Missing(projection.name));
        };
        if position != reached {
            // Another runner was here, or the process has just started.
            self.announce(projection, Status::Following(position));
            return Ok(1);
        }
        apply(&transaction, projection, &events).await?;
        checkpoint(&transaction, projection, last).await?;
        transaction.commit().await?;
        self.announce(projection, Status::Following(last));
        Ok(events.len())
    }

    /// Nothing new has happened; but a crash of PostgreSQL may have taken back what was made last.
    async fn still(
        &self,
        projection: Projection,
        reached: Position,
        client: &Client,
    ) -> Result<usize, ProjectionError> {
        let row = client.query_opt(POSITION, &[&projection.name]).await?;
        let position = row.map(|row| Position(row.get::<_, i64>(0).unsigned_abs()));
        match position.ok_or(ProjectionError::Missing(projection.name))? {
            position if position == reached => Ok(0),
            position => {
                self.announce(projection, Status::Following(position));
                Ok(1)
            }
        }
    }

    async fn stop(&self, projection: Projection, error: &ProjectionError) {
        let at = self.status_of(projection).borrow().position();
        let reason = explained(error);
        tracing::error!(projection = projection.name, position = at.0 + 1, reason, "poison event");
        let recorded = async {
            let position = (at.0 + 1).cast_signed();
            let client = self.pool.get().await?;
            client.execute(FAIL, &[&projection.name, &position, &reason]).await?;
            Ok::<_, ProjectionError>(())
        };
        if let Err(error) = recorded.await {
            tracing::error!(error = &error as &dyn std::error::Error, "failure not recorded");
        }
        self.announce(projection, Status::Stopped { at, reason });
    }

    fn announce(&self, projection: Projection, status: Status) {
        #[allow(clippy::cast_precision_loss, reason = "a metric is a float")]
        let (position, head) = (status.position().0 as f64, self.log.committed().borrow().0 as f64);
        let stopped = matches!(status, Status::Stopped { .. });
        gauge!("kontor_projection_position", "projection" => projection.name).set(position);
        gauge!("kontor_projection_lag_events", "projection" => projection.name)
            .set((head - position).max(0.0));
        gauge!("kontor_projection_stopped", "projection" => projection.name).set(if stopped {
            1.0
        } else {
            0.0
        });
        self.status_of(projection).send_if_modified(|present| {
            let changed = *present != status;
            *present = status;
            changed
        });
    }

    fn status_of(&self, projection: Projection) -> &watch::Sender<Status> {
        self.statuses.get(projection.name).expect("every projection of `views::ALL` has a status")
    }
}

/// Takes the checkpoint of a projection for this transaction.
pub(crate) async fn lock(
    transaction: &Transaction<'_>,
    projection: Projection,
) -> Result<Option<Position>, tokio_postgres::Error> {
    let row = transaction.query_opt(LOCK, &[&projection.name]).await?;
    Ok(row.map(|row| Position(row.get::<_, i64>(0).unsigned_abs())))
}

pub(crate) async fn checkpoint(
    transaction: &Transaction<'_>,
    projection: Projection,
    position: Position,
) -> Result<(), tokio_postgres::Error> {
    transaction.execute(ADVANCE, &[&projection.name, &position.0.cast_signed()]).await?;
    Ok(())
}

/// Applies events in order: the statements go out one behind the other without waiting.
pub(crate) async fn apply(
    transaction: &Transaction<'_>,
    projection: Projection,
    events: &[RecordedEvent],
) -> Result<(), ProjectionError> {
    let mut changes: Vec<Change> = Vec::new();
    let concerning =
        events.iter().filter(|event| projection.reads.contains(&event.stream_type.as_str()));
    for recorded in concerning {
        let event = recorded.event().map_err(|source| ProjectionError::Unreadable {
            position: recorded.position,
            source,
        })?;
        changes.extend((projection.apply)(recorded, &event));
    }
    let mut statements = BTreeMap::new();
    for change in &changes {
        if !statements.contains_key(change.sql) {
            statements.insert(change.sql, transaction.prepare(change.sql).await?);
        }
    }
    let client = transaction.client();
    let mut sent = FuturesOrdered::new();
    for change in &changes {
        if sent.len() == AHEAD {
            sent.next().await.transpose()?;
        }
        sent.push_back(execute(client, &statements[change.sql], change));
    }
    while let Some(result) = sent.next().await {
        result?;
    }
    Ok(())
}

/// How many statements are on their way at once.
const AHEAD: usize = 128;

async fn execute(
    client: &Client,
    statement: &Statement,
    change: &Change,
) -> Result<u64, tokio_postgres::Error> {
    let parameters: Vec<&(dyn ToSql + Sync)> =
        change.parameters.iter().map(|parameter| &**parameter as &(dyn ToSql + Sync)).collect();
    client.execute(statement, &parameters).await
}
