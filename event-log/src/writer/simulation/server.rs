//! A model of PostgreSQL as the writer uses it: a head row with a lock, rows that are unique, and
//! connections that break.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use rand::{RngExt, rngs::StdRng};
use tokio::{
    sync::{OwnedMutexGuard, watch},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Append, Error, Outcome, Position,
    writer::{
        Advance,
        batch::{Batch, Remembered},
        session::{Attempt, Failure, Head, Session},
    },
};

/// The server, and whoever watches it.
#[derive(Clone)]
pub(super) struct Model {
    state: Arc<Mutex<State>>,
    /// The lock of the head row.
    head: Arc<tokio::sync::Mutex<()>>,
}

struct State {
    epoch: i64,
    events: Vec<Stored>,
    versions: HashMap<Uuid, u64>,
    commands: HashMap<Uuid, ([u8; 32], Outcome)>,
    /// Ends the transaction that holds the head.
    holder: CancellationToken,
    held_since: Instant,
    stopped: HashMap<usize, watch::Sender<bool>>,
    random: StdRng,
    /// How often something goes wrong.
    trouble: f64,
    trace: DefaultHasher,
}

/// An event as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) event_id: Uuid,
    pub(super) stream_id: Uuid,
    pub(super) version: u64,
    pub(super) command_id: Uuid,
}

/// The server as one process reaches it.
pub(super) struct Reach {
    model: Model,
    process: usize,
    stopped: watch::Receiver<bool>,
}

/// A transaction on its way to its commit.
struct Transaction {
    /// Head and epoch that it expects, with the versions it believes in; `None` under the lock.
    expects: Option<(Head, Vec<(Uuid, u64)>)>,
    appends: Vec<(Append, Outcome, Vec<Uuid>)>,
}

/// How a connection fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{0}")]
pub(super) struct ModelError(&'static str);

impl From<ModelError> for Error {
    fn from(_: ModelError) -> Self {
        Self::Unavailable
    }
}

impl Model {
    pub(super) fn new(random: StdRng, trouble: f64) -> Self {
        let state = State {
            epoch: 0,
            events: Vec::new(),
            versions: HashMap::new(),
            commands: HashMap::new(),
            holder: CancellationToken::new(),
            held_since: Instant::now(),
            stopped: HashMap::new(),
            random,
            trouble,
            trace: DefaultHasher::new(),
        };
        Self { state: Arc::new(Mutex::new(state)), head: Arc::default() }
    }

    /// The server as a process of this number reaches it.
    pub(super) fn process(&self, process: usize) -> Reach {
        let (stop, stopped) = watch::channel(false);
        self.lock().stopped.insert(process, stop);
        Reach { model: self.clone(), process, stopped }
    }

    /// Stops processes for a while, wherever they are, and lets them go on.
    pub(super) async fn stop_processes(self, processes: usize) {
        loop {
            let (process, pause, stop) = {
                let random = &mut self.lock().random;
                let process = random.random_range(0..processes);
                (process, random.random_range(0..5_000), random.random_range(0..15_000))
            };
            sleep(Duration::from_millis(pause)).await;
            self.note(("stop", process));
            self.lock().stopped[&process].send_replace(true);
            sleep(Duration::from_millis(stop)).await;
            self.lock().stopped[&process].send_replace(false);
        }
    }

    pub(super) fn version(&self, stream: Uuid) -> u64 {
        self.lock().versions.get(&stream).copied().unwrap_or(0)
    }

    pub(super) fn events(&self) -> Vec<Stored> {
        self.lock().events.clone()
    }

    pub(super) fn outcome(&self, command_id: Uuid) -> Option<Outcome> {
        self.lock().commands.get(&command_id).map(|(_, outcome)| *outcome)
    }

    /// What has happened, as a digest.
    pub(super) fn trace(&self) -> u64 {
        self.lock().trace.finish()
    }

    /// What was acknowledged stands where the answer says, as it was given.
    pub(super) fn check_written(&self, append: &Append, outcome: Outcome, event_ids: &[Uuid]) {
        let state = self.lock();
        let last = usize::try_from(outcome.position.0).unwrap();
        let stored = &state.events[last - event_ids.len()..last];
        let stored: Vec<Uuid> = stored.iter().map(|event| event.event_id).collect();
        assert_eq!(stored, event_ids);
        assert_eq!(append.len(), event_ids.len());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn note(&self, what: impl Hash) {
        what.hash(&mut self.lock().trace);
    }

    fn chance(&self, share: f64) -> bool {
        let state = &mut *self.lock();
        state.random.random_bool(share * state.trouble)
    }

    fn pause(&self, most: u64) -> Duration {
        Duration::from_millis(self.lock().random.random_range(0..=most))
    }

    fn look(&self) -> Head {
        let state = self.lock();
        Head {
            position: Position(state.events.len() as u64),
            epoch: state.epoch,
            recorded_at: Timestamp::UNIX_EPOCH,
        }
    }

    /// Waits for the head row as PostgreSQL does, three seconds at most.
    async fn take_head(&self) -> Result<OwnedMutexGuard<()>, Failure<ModelError>> {
        /// Nobody keeps the head for longer than it takes to be noticed twice and evicted.
        const LONGEST: Duration = Duration::from_secs(12);
        let taken = timeout(Duration::from_secs(3), self.head.clone().lock_owned()).await;
        let state = &mut *self.lock();
        let Ok(guard) = taken else {
            assert!(state.held_since.elapsed() < LONGEST, "the head is kept from everybody");
            return Err(Failure::Blocked);
        };
        state.holder = CancellationToken::new();
        state.held_since = Instant::now();
        Ok(guard)
    }

    /// Commits a transaction that holds the head, all or nothing.
    fn apply(&self, transaction: &Transaction) -> Result<(), Failure<ModelError>> {
        let state = &mut *self.lock();
        let head = state.events.len() as u64;
        if let Some((expected, beliefs)) = &transaction.expects {
            if expected.position.0 != head || expected.epoch != state.epoch {
                return Err(Failure::Overtaken);
            }
            let present = |stream| state.versions.get(stream).copied().unwrap_or(0);
            if beliefs.iter().any(|(stream, version)| present(stream) != *version) {
                return Err(Failure::Doubtful);
            }
        }
        let mut versions = state.versions.clone();
        let mut events = Vec::new();
        for (append, outcome, event_ids) in &transaction.appends {
            let mut ids = event_ids.iter();
            if state.commands.contains_key(&append.envelope.command_id) {
                return Err(Failure::Mistaken(ModelError("a command id is there already")));
            }
            for write in &append.writes {
                for expected in (write.expected..).take(write.events.len()) {
                    let version = versions.entry(write.stream_id).or_default();
                    // The unique constraint of the table.
                    if *version > expected {
                        return Err(Failure::Mistaken(ModelError("a version is there already")));
                    }
                    assert_eq!(*version, expected, "a version is left out");
                    *version += 1;
                    events.push(Stored {
                        event_id: *ids.next().unwrap(),
                        stream_id: write.stream_id,
                        version: *version,
                        command_id: append.envelope.command_id,
                    });
                }
            }
            // No constraint finds this: that a decision stands on what was still so.
            for (stream, seen) in &append.reads {
                let present = versions.get(stream).copied().unwrap_or(0);
                assert_eq!(present, *seen, "decided on a version that was no longer so");
            }
            assert_eq!(outcome.position.0, head + events.len() as u64, "a wrong position");
        }
        for (append, outcome, _) in &transaction.appends {
            if let Some(digest) = append.envelope.remember {
                state.commands.insert(append.envelope.command_id, (digest, *outcome));
            }
        }
        (head, events.len()).hash(&mut state.trace);
        state.versions = versions;
        state.events.extend(events);
        Ok(())
    }
}

/// A connection to the model.
pub(super) struct ModelSession {
    model: Model,
    process: usize,
    stopped: watch::Receiver<bool>,
    head: Head,
    closed: bool,
    /// The head row, while a transaction holds it, and what ends that.
    held: Option<Held>,
}

/// The head row in the hands of a transaction. The lock is the server's: it goes with the
/// transaction, whatever the process does.
struct Held {
    /// The transaction was ended by an administrator.
    ended: CancellationToken,
    /// The transaction is over.
    over: CancellationToken,
}

impl Held {
    fn new(guard: OwnedMutexGuard<()>, ended: CancellationToken) -> Self {
        let over = CancellationToken::new();
        let (end, done) = (ended.clone(), over.clone());
        tokio::spawn(async move {
            let _ = end.run_until_cancelled(done.cancelled()).await;
            drop(guard);
        });
        Self { ended, over }
    }
}

impl ModelSession {
    /// The way to the server and back: it takes its time, the process may be stopped on it, and
    /// the connection may break.
    async fn travel(&mut self) -> Attempt<Self> {
        sleep(self.model.pause(4)).await;
        // It can only fail with the simulation.
        let _ = self.stopped.wait_for(|stopped| !stopped).await;
        self.check_evicted()?;
        if self.closed || self.model.chance(0.1) {
            return Err(self.broken("broken"));
        }
        Ok(())
    }

    fn end(&mut self) {
        if let Some(held) = self.held.take() {
            held.over.cancel();
        }
    }

    fn check_evicted(&mut self) -> Attempt<Self> {
        match &self.held {
            Some(held) if held.ended.is_cancelled() => Err(self.broken("terminated")),
            _ => Ok(()),
        }
    }

    /// The server notices at once, or after a while; until then the head stays locked.
    fn broken(&mut self, why: &'static str) -> Failure<ModelError> {
        self.model.note((why, self.process));
        self.closed = true;
        if let Some(held) = self.held.take() {
            let notices = self.model.pause(6_000);
            tokio::spawn(async move {
                sleep(notices).await;
                held.over.cancel();
            });
        }
        Failure::Lost(ModelError(why))
    }

    /// Commits, though the writer is not told, and perhaps only after a while.
    fn commit_late(&mut self, transaction: Transaction, after: Duration) {
        let (model, held) = (self.model.clone(), self.held.take());
        self.closed = true;
        tokio::spawn(async move {
            let Some(held) = held else {
                sleep(after).await;
                if let Ok(guard) = model.take_head().await {
                    let _ = model.apply(&transaction);
                    drop(guard);
                }
                return;
            };
            sleep(after).await;
            if !held.ended.is_cancelled() {
                let _ = model.apply(&transaction);
            }
            held.over.cancel();
        });
    }
}

impl Session for ModelSession {
    type Server = Reach;
    type Error = ModelError;

    async fn open(reach: &Reach) -> Attempt<Self, Self> {
        let mut session = Self {
            model: reach.model.clone(),
            process: reach.process,
            stopped: reach.stopped.clone(),
            head: reach.model.look(),
            closed: false,
            held: None,
        };
        session.travel().await?;
        session.head = session.model.look();
        Ok(session)
    }

    fn is_closed(&self) -> bool {
        self.closed
    }

    fn head(&self) -> Head {
        self.head
    }

    async fn fence(&mut self) -> Attempt<Self> {
        self.travel().await?;
        let guard = self.model.take_head().await?;
        self.model.lock().epoch += 1;
        self.head = self.model.look();
        drop(guard);
        Ok(())
    }

    async fn holds(&self, batch: &Batch, head: Position) -> Attempt<Self, bool> {
        sleep(self.model.pause(4)).await;
        let first = batch.writes().find_map(|(_, _, ids)| ids.first().copied());
        let at = usize::try_from(head.0).unwrap();
        let present = self.model.lock().events.get(at).map(|event| event.event_id);
        Ok(first.is_some() && present == first)
    }

    async fn lock_head(&mut self) -> Attempt<Self, Head> {
        self.travel().await?;
        let guard = self.model.take_head().await?;
        let ended = self.model.lock().holder.clone();
        self.held = Some(Held::new(guard, ended));
        self.head = self.model.look();
        Ok(self.head)
    }

    async fn versions(&self, streams: &[Uuid]) -> Attempt<Self, HashMap<Uuid, u64>> {
        sleep(self.model.pause(4)).await;
        let state = self.model.lock();
        let version = |stream: &Uuid| Some((*stream, *state.versions.get(stream)?));
        Ok(streams.iter().filter_map(version).collect())
    }

    async fn outcomes(&self, ids: &[Uuid]) -> Attempt<Self, HashMap<Uuid, Remembered>> {
        let state = self.model.lock();
        let remembered = |id: &Uuid| {
            let (digest, outcome) = state.commands.get(id)?;
            Some((*id, Remembered { digest: digest.to_vec(), outcome: *outcome }))
        };
        Ok(ids.iter().filter_map(remembered).collect())
    }

    async fn commit(&mut self, batch: &mut Batch, advance: Advance, _: Timestamp) -> Attempt<Self> {
        let head = self.head;
        batch.about_to_send(head.position);
        let appends = batch.writes();
        let transaction = Transaction {
            expects: match advance {
                Advance::Locked => None,
                Advance::Expecting { head, streams, versions } => {
                    let versions = versions.into_iter().map(i64::unsigned_abs);
                    Some((head, streams.into_iter().zip(versions).collect()))
                }
            },
            appends: appends
                .map(|(append, outcome, ids)| (append.clone(), outcome, ids.to_vec()))
                .collect(),
        };
        self.travel().await?;
        if self.model.chance(0.1) {
            // It arrives, at once or late, and the answer does not.
            let late = self.model.pause(4_000);
            self.model.note(("unanswered", self.process));
            self.commit_late(
                transaction,
                if self.model.chance(0.5) { Duration::ZERO } else { late },
            );
            if self.model.chance(0.3) {
                // Not even that the connection is gone is noticed.
                std::future::pending::<()>().await;
            }
            return Err(Failure::Lost(ModelError("unanswered")));
        }
        match self.held.take() {
            Some(held) => {
                let applied = self.model.apply(&transaction);
                held.over.cancel();
                applied?;
            }
            None => {
                let _guard = self.model.take_head().await?;
                self.model.apply(&transaction)?;
            }
        }
        if self.model.chance(0.1) {
            return Err(self.broken("after the commit"));
        }
        // The process may be stopped between the commit and its answer.
        let _ = self.stopped.wait_for(|stopped| !stopped).await;
        self.head.position = batch.last_position(head.position);
        Ok(())
    }

    async fn rollback(&mut self) -> Attempt<Self> {
        self.travel().await?;
        self.end();
        Ok(())
    }

    async fn evict(&mut self) -> Attempt<Self> {
        self.travel().await?;
        self.end();
        self.model.note(("evict", self.process));
        self.model.lock().holder.cancel();
        Ok(())
    }
}

impl Drop for ModelSession {
    fn drop(&mut self) {
        if !self.closed && self.held.is_some() && tokio::runtime::Handle::try_current().is_ok() {
            self.broken("dropped");
        }
    }
}
