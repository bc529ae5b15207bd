//! The runner: keeps every read model up with the log, each at its own pace.
//!
//! The rows and the checkpoint change in one transaction, under the lock of the checkpoint, so an
//! event takes effect exactly once, whatever is killed when and however many runners there are.

use std::{collections::BTreeMap, sync::Arc};

use deadpool_postgres::Pool;
use event_log::{EventLog, Position};
use service_kit::{
    migrations::{Migration, MigrationError, migrate},
    supervisor::Supervisor,
};
use tokio::sync::watch;

use crate::{Projection, follower::Follower, rebuild, views};

/// Every migration of what schema `view` itself needs; the tables come with their projections.
pub const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "view", sql: include_str!("../migrations/0001_view.sql") },
    Migration { number: 2, name: "trigrams", sql: include_str!("../migrations/0002_trigrams.sql") },
    Migration { number: 3, name: "changed", sql: include_str!("../migrations/0003_changed.sql") },
];

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
    pub(crate) fn is_transient(&self) -> bool {
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
            views.follower(projection).announce(Status::Following(position));
        }
        Ok(views)
    }

    /// Starts to follow the log, until the supervisor is cancelled.
    pub fn follow(&self, supervisor: impl Into<Supervisor>) {
        let supervisor = supervisor.into();
        for projection in views::ALL {
            let views = self.clone();
            let name = format!("read model {}", projection.name);
            supervisor.run(name, move || views.follower(projection).run());
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

    fn follower(&self, projection: Projection) -> Follower<EventLog, Pool> {
        let status = &self.statuses[projection.name];
        Follower::new(self.log.clone(), self.pool.clone(), projection, status.clone())
    }
}
