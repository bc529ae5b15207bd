//! The log: one handle to all of history.

use std::{sync::Arc, time::Duration};

use cqrs_es::Aggregate;
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use domain::OfCompany;
use tokio::sync::watch;
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::{
    Append, AppendError, Appended, Error, Loaded, Position, Store, cache::Cache, pending::Pending,
    snapshots::Snapshots, suspension::Suspension, tail::Tail, writer::Writer,
};

/// The role that services take on; it may read history and add to it, nothing else.
pub(crate) const RUNTIME_ROLE: &str = "kontor_runtime";

/// What takes longer than whoever asks over HTTP would wait is given up.
const FINDING: &str = "SET statement_timeout = '25s'";

/// A handful of rows is found by index, however small the log was when the statement was prepared:
/// a plan made for an empty table reads all of it, and is kept while the table grows. To compile a
/// plan would take a hundred times as long as what is asked.
pub(crate) const PLANS: &str = "\
    SET jit = off; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off";

/// How to open a log.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// Where it is; the user must be a member of `kontor_runtime`.
    pub database_url: String,
    /// How much history is kept in memory as the aggregates that it adds up to, in bytes of
    /// payload: their own size is not known, but goes with it.
    pub cached_bytes: u64,
    /// After how many events of one stream a snapshot is taken.
    pub snapshot_every: u64,
    /// How many connections read.
    pub read_connections: usize,
    /// How often a command whose facts have changed is decided anew.
    pub retries: u32,
}

impl LogConfig {
    /// Sensible numbers for one machine.
    pub fn new(database_url: impl Into<String>) -> Self {
        Self {
            database_url: database_url.into(),
            cached_bytes: 128 << 20,
            snapshot_every: 256,
            read_connections: 8,
            retries: 8,
        }
    }
}

/// All of history. Cheap to clone.
#[derive(Clone)]
pub struct EventLog {
    shared: Arc<Shared>,
}

struct Shared {
    writer: Writer,
    readers: Pool,
    finders: Pool,
    pending: Arc<Pending>,
    snapshots: Snapshots,
    suspension: Suspension,
    tail: Tail,
    retries: u32,
}

impl EventLog {
    /// How many connections look things up in history.
    const FINDERS: usize = 4;

    /// Connects, checks that the log is there, and starts the task that writes.
    pub async fn open(config: &LogConfig) -> Result<Self, Error> {
        let mut postgres: tokio_postgres::Config =
            config.database_url.parse().map_err(Error::Url)?;
        postgres.application_name("kontor log");
        postgres.connect_timeout(Duration::from_secs(5));
        // A peer that has vanished is noticed, not waited for.
        postgres.keepalives_idle(Duration::from_secs(10));
        postgres.tcp_user_timeout(Duration::from_secs(15));
        let readers = pool(&postgres, config.read_connections, "")?;
        let finders = pool(&postgres, Self::FINDERS, FINDING)?;
        let head = head(&*readers.get().await?).await?;
        let mut writing = postgres;
        writing.application_name("kontor log writer");
        let suspension = Suspension::none();
        let shared = Shared {
            writer: Writer::start(writing, head, suspension.clone()),
            snapshots: Snapshots::start(readers.clone(), config.snapshot_every),
            readers,
            finders,
            pending: Pending::new(Cache::new(config.cached_bytes)),
            suspension,
            tail: Tail::new(head),
            retries: config.retries,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Writes to one or more streams, all or nothing, and waits until it is durable.
    pub async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.takes_commands()?;
        self.shared.writer.append(append).await
    }

    /// Why no commands are taken, if none are: the log is known to have lost its end.
    pub fn suspended(&self) -> Option<String> {
        self.shared.suspension.reason()
    }

    pub(crate) fn takes_commands(&self) -> Result<(), Error> {
        self.suspended().map_or(Ok(()), |reason| Err(Error::BehindStream(reason)))
    }

    /// Takes no commands until [`EventLog::resume`]. Reading goes on.
    pub(crate) fn suspend(&self, reason: &str) {
        self.shared.suspension.begin(reason);
    }

    /// Takes commands again.
    pub(crate) fn resume(&self) {
        if self.shared.suspension.end() {
            // States that lost events have made must not be met again.
            self.cache().clear();
        }
    }

    /// This log as the event store of one kind of aggregate, for `cqrs_es::CqrsFramework`.
    pub fn store<A: Aggregate + OfCompany + Clone + 'static>(&self) -> Store<A> {
        Store::new(self.clone())
    }

    /// The position of the newest event.
    pub async fn head(&self) -> Result<Position, Error> {
        Ok(head(&*self.reader().await?).await?)
    }

    /// Wakes at every commit of this process, with the position reached. Other processes write
    /// too: whoever follows the log waits for [`EventLog::reached`].
    pub fn committed(&self) -> watch::Receiver<Position> {
        self.shared.writer.committed()
    }

    /// Takes no more appends, and waits until those it has taken are answered. Reading goes on.
    pub async fn shutdown(&self) {
        self.shared.writer.stop().await;
    }

    pub(crate) async fn reader(&self) -> Result<Object, Error> {
        Ok(self.shared.readers.get().await?)
    }

    /// For questions of people's making: however many ask for much at once, commands load what
    /// they need through `reader`.
    pub(crate) async fn finder(&self) -> Result<Object, Error> {
        Ok(self.shared.finders.get().await?)
    }

    pub(crate) fn cache(&self) -> &Cache {
        self.shared.pending.cache()
    }

    pub(crate) fn pending(&self) -> &Arc<Pending> {
        &self.shared.pending
    }

    pub(crate) fn snapshots(&self) -> &Snapshots {
        &self.shared.snapshots
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.shared.writer
    }

    /// Puts a state into memory, and takes a snapshot of it if one is due.
    pub(crate) fn keep<A: Aggregate + OfCompany + 'static>(
        &self,
        id: Uuid,
        loaded: Loaded<A>,
    ) -> Arc<Loaded<A>> {
        let mut loaded = loaded;
        if let Some(snapshot) = self.snapshots().make(id, &mut loaded) {
            self.snapshots().store(snapshot);
        }
        let loaded = Arc::new(loaded);
        self.cache().put(id, loaded.clone());
        loaded
    }

    pub(crate) fn tail(&self) -> &Tail {
        &self.shared.tail
    }

    pub(crate) fn retries(&self) -> u32 {
        self.shared.retries
    }
}

async fn head(client: &tokio_postgres::Client) -> Result<Position, tokio_postgres::Error> {
    let row = client.query_one("SELECT position FROM log.head", &[]).await?;
    Ok(Position::from_i64(row.get(0)))
}

/// Connections that have run `session` first.
fn pool(
    config: &tokio_postgres::Config,
    connections: usize,
    session: &'static str,
) -> Result<Pool, Error> {
    let manager = Manager::from_config(
        config.clone(),
        NoTls,
        ManagerConfig { recycling_method: RecyclingMethod::Fast },
    );
    Pool::builder(manager)
        .max_size(connections)
        .post_create(Hook::async_fn(move |client, _| {
            Box::pin(async move {
                client
                    .batch_execute(&format!("SET ROLE {RUNTIME_ROLE}; {PLANS}; {session}"))
                    .await
                    .map_err(HookError::Backend)
            })
        }))
        .runtime(deadpool_postgres::Runtime::Tokio1)
        .wait_timeout(Some(Duration::from_secs(10)))
        .create_timeout(Some(Duration::from_secs(5)))
        .build()
        .map_err(|_| Error::Unavailable)
}
