//! The event writer of this process: group commit over one connection.
//!
//! Commands that arrive while a batch is being written go into the next one. A batch is one
//! transaction. It is first tried optimistically (`write_fast`): everything is sent at once, and
//! PostgreSQL refuses all of it if another process has written meanwhile. Only then the slow path
//! is taken: lock the head, read the versions, decide request by request, write those without
//! conflicts.

#![allow(clippy::cast_precision_loss, reason = "metrics are floats and need not be exact")]

pub(crate) mod batch;
mod connection;
mod copy;
pub(crate) mod session;

use std::{
    collections::HashMap, iter::Peekable, panic::AssertUnwindSafe, sync::Arc, time::Duration,
};

use futures::FutureExt;
use metrics::{counter, gauge, histogram};
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::Instant,
};
use uuid::Uuid;

use self::{
    batch::Batch,
    connection::Connection,
    session::{Attempt, Failure, Head, Session},
};
use crate::{
    Append, AppendError, Appended, Error, Position, pending::QueuedAppend, suspension::Suspension,
};

/// An append and the channel for its answer.
pub(crate) struct Request {
    pub(crate) append: Append,
    /// The appends that depend on it, and those that it depends on.
    pub(crate) handed: Option<QueuedAppend>,
    pub(crate) reply: oneshot::Sender<Result<Appended, AppendError>>,
    pub(crate) since: Instant,
}

impl Request {
    pub(crate) fn new(
        append: Append,
        handed: Option<QueuedAppend>,
        reply: oneshot::Sender<Result<Appended, AppendError>>,
    ) -> Self {
        Self { append, handed, reply, since: Instant::now() }
    }
}

/// The writing side of a log.
#[derive(Clone)]
pub(crate) struct Writer {
    requests: mpsc::Sender<Request>,
    committed: watch::Receiver<Position>,
    closing: Arc<Notify>,
}

impl Writer {
    /// The most queued requests; then callers wait.
    const QUEUE: usize = 8_192;
    /// The most requests of one transaction.
    const BATCH: usize = 2_048;
    /// The most bytes of payload of one transaction, unless a single request has more.
    const BATCH_BYTES: usize = 16 << 20;
    /// For how long a request waits for PostgreSQL to come back.
    const PATIENCE: Duration = Duration::from_secs(10);
    /// How long an attempt may take before the connection counts as lost.
    const SILENCE: Duration = Duration::from_secs(20);
    /// The number of batches on the slow path after a conflict with another process.
    const CAREFUL_BATCHES: u32 = 32;

    /// Starts the task that writes; it ends when the last `Writer` is dropped, or it is stopped.
    pub(crate) fn start(
        config: tokio_postgres::Config,
        head: Position,
        suspension: Suspension,
    ) -> Self {
        let (writer, task) = Self::on::<Connection>(config, head, suspension);
        tokio::spawn(task);
        writer
    }

    /// A writer and the task that writes for it.
    pub(crate) fn on<S: Session>(
        server: S::Server,
        head: Position,
        suspension: Suspension,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (requests, queue) = mpsc::channel(Self::QUEUE);
        let (announce, committed) = watch::channel(head);
        let task = Task::<S> {
            server,
            connection: None,
            announce,
            suspension,
            versions: HashMap::new(),
            fenced: true,
            careful_batches: 0,
        };
        let closing = Arc::new(Notify::new());
        let task = task.run(queue, closing.clone());
        (Self { requests, committed, closing }, task)
    }

    pub(crate) fn committed(&self) -> watch::Receiver<Position> {
        self.committed.clone()
    }

    /// Queues an append and waits until it is durable or refused.
    pub(crate) async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        if append.is_too_large() {
            return Err(AppendError::TooLarge);
        }
        let (reply, answer) = oneshot::channel();
        self.place().await?.send(Request::new(append, None, reply));
        answer.await.map_err(|_| Error::Unavailable)?
    }

    /// Waits for a place in the queue.
    pub(crate) async fn place(&self) -> Result<mpsc::Permit<'_, Request>, Error> {
        self.requests.reserve().await.map_err(|_| Error::Unavailable)
    }

    /// Closes the queue, and waits until all queued requests are answered.
    pub(crate) async fn stop(&self) {
        self.closing.notify_one();
        let mut committed = self.committed();
        // Ends with the task, which is the only sender.
        while committed.changed().await.is_ok() {}
    }
}

struct Task<S: Session> {
    server: S::Server,
    connection: Option<S>,
    announce: watch::Sender<Position>,
    suspension: Suspension,
    /// Cached versions of streams: valid as long as no other process moves the head.
    versions: HashMap<Uuid, u64>,
    /// Whether a transaction of a lost connection can no longer commit.
    fenced: bool,
    /// The number of further batches on the slow path.
    careful_batches: u32,
}

impl<S: Session> Task<S> {
    /// The number of streams whose versions are cached.
    const VERSIONS: usize = 1_000_000;

    async fn run(mut self, mut queue: mpsc::Receiver<Request>, closing: Arc<Notify>) {
        let mut taken = Vec::with_capacity(Writer::BATCH);
        loop {
            tokio::select! {
                biased;
                () = closing.notified(), if !queue.is_closed() => {
                    queue.close();
                    continue;
                }
                count = queue.recv_many(&mut taken, Writer::BATCH) => if count == 0 { return },
            }
            gauge!("kontor_append_queue_depth").set(queue.len() as f64);
            let mut requests = taken.drain(..).peekable();
            while requests.peek().is_some() {
                self.write_timed(Batch::new(portion(&mut requests))).await;
            }
        }
    }

    /// A panic must fail only the requests of its batch.
    #[tracing::instrument(name = "append batch", level = "debug", skip_all, fields(commands = batch.len()))]
    async fn write_timed(&mut self, batch: Batch) {
        let started = Instant::now();
        histogram!("kontor_append_batch_commands").record(batch.len() as f64);
        if AssertUnwindSafe(self.write(batch)).catch_unwind().await.is_err() {
            tracing::error!("the writer panicked; its batch failed, and it is restarted");
            counter!("kontor_append_panics_total").increment(1);
            self.connection = None;
            self.fenced = false;
        }
        histogram!("kontor_append_batch_seconds").record(started.elapsed());
    }

    /// Writes the requests, with retries until their time limit.
    async fn write(&mut self, mut batch: Batch) {
        if self.versions.len() > Self::VERSIONS {
            self.versions.clear();
        }
        self.careful_batches = self.careful_batches.saturating_sub(1);
        let mut careful = self.careful_batches > 0;
        while !batch.is_empty() {
            if batch.waited() > Writer::PATIENCE {
                batch.give_up();
                return;
            }
            let attempt = tokio::time::timeout(Writer::SILENCE, self.attempt(&mut batch, careful));
            match attempt.await.unwrap_or(Err(Failure::Silent)) {
                Ok(()) => return,
                Err(Failure::Refused(error) | Failure::Mistaken(error)) if careful => {
                    tracing::error!(error = &error as &dyn std::error::Error, "batch refused");
                    match batch.split() {
                        Ok(one_by_one) => {
                            for single in one_by_one {
                                Box::pin(self.write(Batch::new(single))).await;
                            }
                        }
                        Err(single) => single.refuse(error),
                    }
                    return;
                }
                Err(Failure::Suspended(reason)) => {
                    batch.suspend(&reason);
                    return;
                }
                Err(Failure::Overtaken) => {
                    self.careful_batches = Writer::CAREFUL_BATCHES;
                    careful = true;
                }
                Err(
                    Failure::Refused(_)
                    | Failure::Mistaken(_)
                    | Failure::Doubtful
                    | Failure::Blocked,
                ) => careful = true,
                Err(lost @ (Failure::Lost(_) | Failure::Silent)) => {
                    if let Failure::Lost(error) = &lost {
                        let error = error as &dyn std::error::Error;
                        tracing::warn!(error, "the writer's connection is lost");
                    } else {
                        tracing::warn!("PostgreSQL does not answer the writer");
                    }
                    counter!("kontor_append_connections_lost_total").increment(1);
                    self.connection = None;
                    self.fenced = false;
                    careful = true;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    async fn attempt(&mut self, batch: &mut Batch, careful: bool) -> Attempt<S> {
        self.connect().await?;
        let result = self.transact(batch, careful).await;
        let connection = connected(&mut self.connection);
        match result {
            Ok(()) | Err(Failure::Lost(_) | Failure::Silent) => {}
            Err(Failure::Blocked) => connection.evict().await?,
            Err(_) => connection.rollback().await?,
        }
        result
    }

    async fn transact(&mut self, batch: &mut Batch, careful: bool) -> Attempt<S> {
        self.fence(batch).await?;
        if batch.is_empty() {
            return Ok(());
        }
        if let Some(reason) = self.suspension.reason() {
            return Err(Failure::Suspended(reason));
        }
        if careful { self.write_carefully(batch).await } else { self.write_fast(batch).await }
    }

    async fn connect(&mut self) -> Attempt<S> {
        if self.connection.as_ref().is_none_or(Session::is_closed) {
            self.versions.clear();
            let connection = S::open(&self.server).await?;
            self.suspend_if_restored(connection.head().position);
            self.connection = Some(connection);
        }
        Ok(())
    }

    /// A head that is behind what this process has seen committed is that of an earlier state:
    /// PostgreSQL was restored, or a standby without the last commits has taken over.
    fn suspend_if_restored(&mut self, head: Position) {
        let seen = *self.announce.borrow();
        if head < seen {
            self.announce.send_replace(head);
            self.suspension.begin(&format!(
                "the log ends at {head}, but had reached {seen}: it was restored to an earlier state"
            ));
        }
    }

    /// After a lost connection: makes sure that its transaction can no longer commit, then checks
    /// whether the batch was committed.
    async fn fence(&mut self, batch: &mut Batch) -> Attempt<S> {
        if self.fenced {
            return Ok(());
        }
        let connection = connected(&mut self.connection);
        connection.fence().await?;
        if let Some(position) = batch.sent()
            && connection.holds(batch, position).await?
        {
            let last = batch.last_position(position);
            self.announce.send_replace(last);
            batch.answer();
        }
        self.fenced = true;
        Ok(())
    }

    /// The optimistic path: assumes that the head and the cached versions are current.
    async fn write_fast(&mut self, batch: &mut Batch) -> Attempt<S> {
        let head = connected(&mut self.connection).head();
        if !batch.decide(head.position, &self.versions, Trust::Unknown) {
            return Err(Failure::Doubtful);
        }
        let connection = connected(&mut self.connection);
        let remembered = connection.outcomes(&batch.conflicting_command_ids()).await?;
        if !remembered.is_empty() {
            batch.answer_remembered(&remembered);
            // The same command may stand here twice, once accepted: nothing follows its events now.
            if !batch.decide(head.position, &self.versions, Trust::Unknown) {
                return Err(Failure::Doubtful);
            }
        }
        let (streams, versions) = batch.beliefs(&self.versions);
        self.commit(batch, Advance::Expecting { head, streams, versions }).await
    }

    /// The slow path: under the lock of the head, with the versions in PostgreSQL.
    async fn write_carefully(&mut self, batch: &mut Batch) -> Attempt<S> {
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

    async fn commit(&mut self, batch: &mut Batch, advance: Advance) -> Attempt<S> {
        let connection = connected(&mut self.connection);
        if batch.accepted_is_empty() {
            if matches!(advance, Advance::Locked) {
                connection.rollback().await?;
            }
            batch.answer();
            return Ok(());
        }
        // Recording times never decrease, even if a clock goes back or is behind that of another
        // writer.
        let now = jiff::Timestamp::now().max(connection.head().recorded_at);
        connection.commit(batch, advance, now).await?;
        for (stream, version) in batch.written() {
            self.versions.insert(stream, version);
        }
        let head = connection.head().position;
        counter!("kontor_append_events_total").increment(batch.events() as u64);
        gauge!("kontor_log_head_position").set(head.0 as f64);
        self.announce.send_replace(head);
        batch.answer();
        Ok(())
    }
}

/// What the cached versions say about streams that are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Not cached: the expected version is assumed, and the transaction checks it.
    Unknown,
    /// Complete: a stream without an entry does not exist.
    Nothing,
}

/// How the head is advanced.
pub(crate) enum Advance {
    /// The head and the streams without a cached version are checked by the statement.
    Expecting { head: Head, streams: Vec<Uuid>, versions: Vec<i64> },
    /// This transaction holds the lock of the head.
    Locked,
}

/// Takes the requests of one transaction.
fn portion(requests: &mut Peekable<impl Iterator<Item = Request>>) -> Vec<Request> {
    let mut portion: Vec<Request> = requests.next().into_iter().collect();
    let weight = |request: &Request| request.append.bytes();
    let mut bytes: usize = portion.iter().map(weight).sum();
    while let Some(request) = requests.next_if(|next| bytes + weight(next) <= Writer::BATCH_BYTES) {
        bytes += weight(&request);
        portion.push(request);
    }
    portion
}

fn connected<S>(connection: &mut Option<S>) -> &mut S {
    connection.as_mut().expect("`attempt` connects first, and a lost connection ends the attempt")
}
