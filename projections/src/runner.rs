//! The runner: applies the log to every read model, each at its own pace.
//!
//! The rows and the checkpoint change in one transaction, under the lock of the checkpoint, so an
//! event takes effect exactly once, whatever is killed when and however many runners there are.

use std::{collections::BTreeMap, sync::Arc};

use deadpool_postgres::Pool;
use event_log::{EventLog, Position};
use service_kit::{
    health::explained,
    migrations::{Migration, MigrationError, migrate},
    postgres,
    supervisor::Supervisor,
};
use tokio::sync::{Notify, watch};
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::{
    Projection,
    aside::SetAside,
    checkpoints::Checkpoints,
    database::Connection,
    follower::{Follower, adopt},
    lease::Candidate,
    progress::Progress,
    rebuild, views,
    wait::Waiting,
};

/// Every migration of what schema `view` itself needs; the tables come with their projections.
pub const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "view", sql: include_str!("../migrations/0001_view.sql") },
    Migration { number: 2, name: "trigrams", sql: include_str!("../migrations/0002_trigrams.sql") },
    Migration { number: 3, name: "changed", sql: include_str!("../migrations/0003_changed.sql") },
    Migration {
        number: 4,
        name: "set aside",
        sql: include_str!("../migrations/0004_set_aside.sql"),
    },
    Migration { number: 5, name: "runners", sql: include_str!("../migrations/0005_runners.sql") },
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
    /// A defect of this build.
    #[error("applying the event at position {position} panicked")]
    Panicked {
        /// Where it stands.
        position: Position,
    },
    /// Another build has rebuilt it since this process started.
    #[error("the read model {0} is of another build")]
    OtherBuild(&'static str),
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
            Self::Database(error) => {
                // Or a lost race between runners.
                let is_race = |state: &SqlState| ["40", "55"].contains(&&state.code()[..2]);
                postgres::is_unavailable(error) || error.code().is_some_and(is_race)
            }
            Self::Unreadable { .. }
            | Self::Panicked { .. }
            | Self::OtherBuild(_)
            | Self::Missing(_)
            | Self::Migration(_) => false,
        }
    }

    /// Whether what an event says is to blame: then other events can be applied all the same.
    /// Otherwise any event might fail, as when a table is missing.
    pub(crate) fn is_of_an_event(&self) -> bool {
        match self {
            Self::Unreadable { .. } | Self::Panicked { .. } => true,
            Self::Database(error) => match error.code() {
                // Two rows where there must be one, values that do not fit their type, broken
                // constraints, limits of PostgreSQL.
                Some(state) => ["21", "22", "23", "54"].contains(&&state.code()[..2]),
                // A value could not even be sent.
                None => !postgres::is_unavailable(error),
            },
            Self::Log(_)
            | Self::Unavailable(_)
            | Self::OtherBuild(_)
            | Self::Missing(_)
            | Self::Migration(_) => false,
        }
    }
}

/// How a read model is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The last position that it shows.
    pub position: Position,
    /// Whether it goes on.
    pub state: State,
    /// What it leaves out.
    pub set_aside: Arc<[SetAside]>,
}

/// Whether a read model goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It follows the log.
    Following,
    /// It waits for a build that can handle an event, or for a rebuild.
    Stopped {
        /// Why.
        reason: String,
    },
    /// A build that started later has rebuilt it and goes on with it; this process only reads.
    OtherBuild,
}

impl Status {
    /// It follows the log and leaves nothing out.
    pub(crate) fn following(position: Position) -> Self {
        Self { position, state: State::Following, set_aside: Arc::default() }
    }

    /// What an operator should know, when not all is well.
    pub fn trouble(&self) -> Option<String> {
        let position = self.position;
        let stopped = match &self.state {
            State::Following => None,
            State::Stopped { reason } => {
                Some(format!("stopped after position {position}: {reason}"))
            }
            State::OtherBuild => {
                Some("another build has rebuilt it and goes on with it".to_owned())
            }
        };
        let first = self.set_aside.first();
        let aside = first.map(|SetAside { stream_type, stream_id, position, reason, .. }| {
            let count = self.set_aside.len();
            format!(
                "{count} set aside, the first from position {position} on, {stream_type} \
                 {stream_id}: {reason}"
            )
        });
        let reasons: Vec<String> = stopped.into_iter().chain(aside).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

/// All read models: their database and the progress of each. Cheap to clone.
#[derive(Clone)]
pub struct Views {
    pub(crate) pool: Pool,
    pub(crate) log: EventLog,
    pub(crate) waiting: Arc<Waiting>,
    projections: Arc<[Projection]>,
    progress: Arc<BTreeMap<&'static str, Arc<Progress>>>,
    leads: watch::Sender<bool>,
}

const CHECKPOINTS: &str = "SELECT projection, position FROM view.checkpoints";

/// How many events are applied in one transaction.
pub(crate) const BATCH: usize = 1_000;

impl Views {
    /// Creates the schema and the tables of every read model if they are missing. A read model
    /// whose rows are of another build is rebuilt.
    pub async fn open(pool: Pool, log: EventLog) -> Result<Self, ProjectionError> {
        Self::open_some(pool, log, &views::ALL).await
    }

    /// The same with some read models only, or with those of another build.
    pub async fn open_some(
        pool: Pool,
        log: EventLog,
        projections: &[Projection],
    ) -> Result<Self, ProjectionError> {
        let views = Self::attached(pool, log, projections).await?;
        for projection in projections {
            match rebuild::set_up(&views, *projection).await {
                Ok(()) => views.resume(*projection).await?,
                // One read model must not keep all others from being served.
                Err(error) if error.is_of_an_event() => {
                    views.resume(*projection).await?;
                    let reason = format!("it cannot be rebuilt: {}", explained(&error));
                    tracing::error!(projection = projection.name, reason, "read model stops");
                    views.progress[projection.name].stop_for(reason);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(views)
    }

    /// Opens read models of any build, for inspection and comparison: nothing is rebuilt.
    pub async fn attach(pool: Pool, log: EventLog) -> Result<Self, ProjectionError> {
        let views = Self::attached(pool, log, &views::ALL).await?;
        for projection in views::ALL {
            match views.resume(projection).await {
                Ok(()) | Err(ProjectionError::Missing(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(views)
    }

    async fn attached(
        pool: Pool,
        log: EventLog,
        projections: &[Projection],
    ) -> Result<Self, ProjectionError> {
        let progress =
            |view: &Projection| (view.name, Arc::new(Progress::new(*view, Position::START)));
        let progress = Arc::new(projections.iter().map(progress).collect());
        let (waiting, leads) = (Arc::default(), watch::Sender::new(false));
        let views = Self { pool, log, waiting, projections: projections.into(), progress, leads };
        let mut client = views.pool.get().await?;
        migrate(&mut client, "view", MIGRATIONS).await?;
        Ok(views)
    }

    /// Reads the checkpoints, so that no runner reads events that its read model has applied
    /// already.
    async fn resume(&self, projection: Projection) -> Result<(), ProjectionError> {
        let checkpoint = self.pool.get().await?.checkpoint(projection).await?;
        let checkpoint = checkpoint.ok_or(ProjectionError::Missing(projection.name))?;
        match adopt(&self.progress[projection.name], &checkpoint) {
            // The status has the reason, and the runner waits.
            Ok(()) | Err(ProjectionError::OtherBuild(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Follows the log until the supervisor is cancelled: updates the read models if this process
    /// is the leader of its build, else only observes their progress.
    pub fn follow(&self, supervisor: impl Into<Supervisor>) {
        let supervisor = supervisor.into();
        let log = self.log.clone();
        supervisor.run("tail of the log", move || {
            let log = log.clone();
            async move { log.keep_tail().await }
        });
        let candidate =
            Arc::new(Candidate::new(self.pool.clone(), &self.projections, self.leads.clone()));
        supervisor.run("lease of the read models", move || {
            let candidate = candidate.clone();
            async move { candidate.keep().await }
        });
        let skipped = Arc::new(Notify::new());
        // A read model that could not be rebuilt keeps the rows of another build.
        let stopped = |of: &Arc<Progress>| matches!(of.present().state, State::Stopped { .. });
        let progress: Vec<_> = self.progress.values().filter(|of| !stopped(of)).cloned().collect();
        for progress in &progress {
            let (views, progress, skipped) = (self.clone(), progress.clone(), skipped.clone());
            let name = format!("read model {}", progress.projection().name);
            supervisor.run(name, move || views.follower(progress.clone(), skipped.clone()).run());
        }
        let checkpoints = Arc::new(Checkpoints { database: self.pool.clone(), progress, skipped });
        supervisor.run("checkpoints of the read models", move || {
            let checkpoints = checkpoints.clone();
            async move { checkpoints.keep().await }
        });
    }

    /// Whether this process is the leader of its build, which updates the read models.
    pub fn leads(&self) -> watch::Receiver<bool> {
        self.leads.subscribe()
    }

    /// The status of a read model, as this process knows it.
    pub fn status(&self, name: &str) -> Option<watch::Receiver<Status>> {
        self.progress.get(name).map(|progress| progress.status())
    }

    /// The checkpoints of all read models in the database.
    pub async fn checkpoints(&self) -> Result<BTreeMap<String, Position>, ProjectionError> {
        let rows = self.pool.get().await?.query(CHECKPOINTS, &[]).await?;
        Ok(rows
            .iter()
            .map(|row| (row.get(0), Position(row.get::<_, i64>(1).unsigned_abs())))
            .collect())
    }

    /// Reads all checkpoints, for waiting queries.
    pub(crate) async fn refresh(&self) -> Result<(), ProjectionError> {
        for (name, position) in self.checkpoints().await? {
            if let Some(progress) = self.progress.get(name.as_str()) {
                progress.shown(position);
            }
        }
        Ok(())
    }

    /// The streams that these read models have set aside, for an asker who sees one company or all.
    pub fn set_aside(&self, names: &[&str], company: Option<Uuid>) -> Vec<SetAside> {
        let progress = names.iter().filter_map(|name| self.progress.get(name));
        let aside = progress.flat_map(|progress| progress.present().set_aside.to_vec());
        aside.filter(|aside| aside.concerns(company)).collect()
    }

    /// A connection for queries.
    pub async fn client(&self) -> Result<deadpool_postgres::Object, crate::ReadError> {
        Ok(self.pool.get().await?)
    }

    fn follower(&self, progress: Arc<Progress>, skipped: Arc<Notify>) -> Follower<EventLog, Pool> {
        let (log, database, leads) = (self.log.clone(), self.pool.clone(), self.leads());
        Follower { log, database, progress, leads, skipped }
    }
}
