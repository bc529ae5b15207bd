//! The one writer of history in this process: group commit over one connection.
//!
//! Commands that arrive while a batch is being written go into the next one. A batch is one
//! transaction. It is first tried on the belief that nobody else has written ([`fast`]): all is
//! sent at once and PostgreSQL refuses it whole when the belief is wrong. Then, and only then, the
//! careful way is taken: lock the head, look, decide command by command, write what holds.

#![allow(clippy::cast_precision_loss, reason = "metrics are floats and need not be exact")]

mod batch;
mod connection;
mod copy;

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use metrics::{counter, gauge, histogram};
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use self::{
    batch::Batch,
    connection::{Connection, Failure, Head},
};
use crate::{Append, AppendError, Appended, Error, Position};

/// An append and where its answer goes.
pub(crate) struct Request {
    pub(crate) append: Append,
    pub(crate) reply: oneshot::Sender<Result<Appended, AppendError>>,
    pub(crate) since: Instant,
}

/// The writing side of a log.
#[derive(Clone)]
pub(crate) struct Writer {
    requests: mpsc::Sender<Request>,
    committed: watch::Receiver<Position>,
}

impl Writer {
    /// How many requests wait at most; beyond that, callers do.
    const QUEUE: usize = 8_192;
    /// How many requests one transaction takes at most.
    const BATCH: usize = 2_048;
    /// For how long a request waits for PostgreSQL to come back.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// Starts the task that writes; it ends when the last `Writer` is dropped.
    pub(crate) fn start(config: tokio_postgres::Config, head: Position) -> Self {
        let (requests, queue) = mpsc::channel(Self::QUEUE);
        let (announce, committed) = watch::channel(head);
        let task = Task {
            config,
            connection: None,
            announce,
            versions: HashMap::new(),
            last_recorded_at: jiff::Timestamp::UNIX_EPOCH,
            fenced: true,
        };
        tokio::spawn(task.run(queue));
        Self { requests, committed }
    }

    pub(crate) fn committed(&self) -> watch::Receiver<Position> {
        self.committed.clone()
    }

    /// Queues an append and waits until it is durable or refused.
    pub(crate) async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        check_size(&append)?;
        let (reply, answer) = oneshot::channel();
        let request = Request { append, reply, since: Instant::now() };
        self.requests.send(request).await.map_err(|_| Error::Unavailable)?;
        answer.await.map_err(|_| Error::Unavailable)?
    }
}

fn check_size(append: &Append) -> Result<(), AppendError> {
    let too_large = append.len() > Append::MAX_EVENTS
        || append
            .writes
            .iter()
            .flat_map(|write| &write.events)
            .any(|event| event.payload.len() > Append::MAX_PAYLOAD);
    if too_large { Err(AppendError::TooLarge) } else { Ok(()) }
}

struct Task {
    config: tokio_postgres::Config,
    connection: Option<Connection>,
    announce: watch::Sender<Position>,
    /// Versions of streams as this task knows them: true as long as nobody else moves the head.
    versions: HashMap<Uuid, u64>,
    last_recorded_at: jiff::Timestamp,
    /// Whether a transaction of a lost connection can no longer come to anything.
    fenced: bool,
}

impl Task {
    /// How many streams it keeps in mind.
    const VERSIONS: usize = 1_000_000;

    async fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let mut requests = Vec::with_capacity(Writer::BATCH);
        while queue.recv_many(&mut requests, Writer::BATCH).await > 0 {
            gauge!("kontor_append_queue_depth").set(queue.len() as f64);
            let started = Instant::now();
            let size = requests.len();
            self.write(std::mem::take(&mut requests)).await;
            histogram!("kontor_append_batch_commands").record(size as f64);
            histogram!("kontor_append_batch_seconds").record(started.elapsed());
            requests.reserve(Writer::BATCH);
        }
    }

    /// Writes the requests, whatever it takes, within their patience.
    async fn write(&mut self, requests: Vec<Request>) {
        if self.versions.len() > Self::VERSIONS {
            self.versions.clear();
        }
        let mut batch = Batch::new(requests);
        let mut careful = false;
        while !batch.is_empty() {
            if batch.waited() > Writer::PATIENCE {
                batch.give_up();
                return;
            }
            match self.attempt(&mut batch, careful).await {
                Ok(()) => return,
                Err(Failure::Refused(error)) if careful => {
                    tracing::error!(error = &error as &dyn std::error::Error, "batch refused");
                    match batch.split() {
                        Ok(one_by_one) => {
                            for single in one_by_one {
                                Box::pin(self.write(single)).await;
                            }
                        }
                        Err(single) => single.refuse(error),
                    }
                    return;
                }
                Err(Failure::Refused(_) | Failure::Moved) => careful = true,
                Err(Failure::Lost(error)) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "connection lost");
                    counter!("kontor_append_connections_lost_total").increment(1);
                    self.connection = None;
                    self.fenced = false;
                    careful = true;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    async fn attempt(&mut self, batch: &mut Batch, careful: bool) -> Result<(), Failure> {
        self.connect().await?;
        self.fence(batch).await?;
        if batch.is_empty() {
            return Ok(());
        }
        let result =
            if careful { self.write_carefully(batch).await } else { self.write_fast(batch).await };
        if let Err(Failure::Moved | Failure::Refused(_)) = result {
            connected(&mut self.connection).rollback().await?;
        }
        result
    }

    async fn connect(&mut self) -> Result<(), Failure> {
        if self.connection.as_ref().is_none_or(Connection::is_closed) {
            self.versions.clear();
            let connection = Connection::open(&self.config).await?;
            self.connection = Some(connection);
        }
        Ok(())
    }

    /// After a lost connection: makes sure that nothing of it can still come to pass, then finds
    /// out whether the batch that was under way did.
    async fn fence(&mut self, batch: &mut Batch) -> Result<(), Failure> {
        if self.fenced {
            return Ok(());
        }
        let connection = connected(&mut self.connection);
        connection.fence().await?;
        if let Some(position) = batch.sent()
            && connection.holds(batch, position).await?
        {
            let last = batch.last_position(position);
            batch.answer();
            self.announce.send_replace(last);
        }
        self.fenced = true;
        Ok(())
    }

    /// On the belief that the head and the versions are as this task knows them.
    async fn write_fast(&mut self, batch: &mut Batch) -> Result<(), Failure> {
        let head = connected(&mut self.connection).head;
        if !batch.decide(head.position, &self.versions, Trust::Unknown) {
            return Err(Failure::Moved);
        }
        let (streams, versions) = batch.unknown_reads(&self.versions);
        self.commit(batch, Advance::Expecting { head, streams, versions }).await
    }

    /// Under the lock of the head, on what PostgreSQL says.
    async fn write_carefully(&mut self, batch: &mut Batch) -> Result<(), Failure> {
        counter!("kontor_append_careful_batches_total").increment(1);
        let connection = connected(&mut self.connection);
        let head = connection.lock_head().await?;
        self.versions = connection.versions(&batch.streams()).await?;
        let remembered = connection.outcomes(&batch.command_ids()).await?;
        batch.answer_remembered(&remembered);
        let decided = batch.decide(head.position, &self.versions, Trust::Nothing);
        debug_assert!(decided, "under the lock nothing is left to doubt");
        self.commit(batch, Advance::Locked).await
    }

    async fn commit(&mut self, batch: &mut Batch, advance: Advance) -> Result<(), Failure> {
        let connection = connected(&mut self.connection);
        if batch.accepted_is_empty() {
            connection.rollback_if(&advance).await?;
            batch.answer();
            return Ok(());
        }
        let now = jiff::Timestamp::now().max(self.last_recorded_at);
        self.last_recorded_at = now;
        connection.commit(batch, advance, now).await?;
        for (stream, version) in batch.written() {
            self.versions.insert(stream, version);
        }
        let head = connection.head.position;
        counter!("kontor_append_events_total").increment(batch.events() as u64);
        gauge!("kontor_log_head_position").set(head.0 as f64);
        batch.answer();
        self.announce.send_replace(head);
        Ok(())
    }
}

/// What the versions in mind say about streams that are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Nothing is known: the expectation is taken for true, and the transaction proves it.
    Unknown,
    /// All are known: a stream that is not among them does not exist.
    Nothing,
}

/// How the head is moved on.
enum Advance {
    /// It must be where it is believed to be, and so must the streams that were only read.
    Expecting { head: Head, streams: Vec<Uuid>, versions: Vec<i64> },
    /// This transaction holds its lock.
    Locked,
}

fn connected(connection: &mut Option<Connection>) -> &mut Connection {
    connection.as_mut().expect("`attempt` connects first, and a lost connection ends the attempt")
}
