//! A unit of work: load, decide, append, as often as it takes.
//!
//! What a decision has read is asserted when it is written, so a decision never stands on facts
//! that were no longer true.

use std::{
    any::{Any, TypeId},
    borrow::Borrow,
    collections::HashMap,
    time::Duration,
};

use cqrs_es::{Aggregate, event_sink::EventSink};
use domain::OfCompany;
use futures::future::BoxFuture;
use metrics::counter;
use uuid::Uuid;

pub use crate::cache::Loaded;
use crate::{
    Append, AppendError, Appended, Envelope, Error, EventLog, ExecuteError, NewEvent, Outcome,
    Position, StreamWrite, store::new_event,
};

/// What a command did, or had done before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed<T> {
    /// What to answer.
    pub outcome: Outcome,
    /// What the decision returned; `None` when the command was executed before.
    pub value: Option<T>,
}

/// Who gives a command that is only rehearsed.
const NOBODY: Envelope = Envelope {
    command_id: Uuid::nil(),
    remember: None,
    actor: String::new(),
    correlation_id: Uuid::nil(),
    causation_id: None,
};

/// What one command has read and decided so far.
pub struct Work {
    log: EventLog,
    streams: HashMap<Key, Entry>,
    /// Streams in the order in which they were first decided upon.
    decided: Vec<Key>,
    answer: Option<Uuid>,
    /// How many events would be written.
    events: usize,
    /// How things were at the mark, the newest first to be taken back.
    since_mark: Option<Mark>,
    /// What decisions may use besides history; nothing of it is asserted.
    lent: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
    /// Whether a rehearsal may be larger than one append.
    in_parts: bool,
}

/// What was decided since a mark, so that it can be taken back.
struct Mark {
    decided: usize,
    before: Vec<(Key, Before)>,
}

/// An aggregate before a decision.
struct Before {
    company_id: Option<Uuid>,
    state: Box<dyn Any + Send + Sync>,
    bytes: u64,
    events: usize,
}

/// A client may name one id as two kinds of thing.
type Key = (TypeId, Uuid);

fn key<A: 'static>(id: impl Into<Uuid>) -> Key {
    (TypeId::of::<A>(), id.into())
}

/// An aggregate in a unit of work.
struct Entry {
    stream_type: &'static str,
    /// What it was when it was read.
    version: u64,
    company_id: Option<Uuid>,
    state: Box<dyn Any + Send + Sync>,
    /// What the state takes up; see [`Loaded`].
    bytes: u64,
    /// The version at which the last snapshot was taken.
    snapshot: u64,
    events: Vec<NewEvent>,
    /// Whether it is among [`Work::decided`].
    is_decided: bool,
    /// Puts the new state into memory once it is written.
    keep: fn(&EventLog, Uuid, Self),
}

impl EventLog {
    /// Executes a command: answers what it was answered before, or else lets `decide` load and
    /// decide on aggregates, and appends it all at once. When somebody else was faster, it is
    /// decided anew on fresh facts, a bounded number of times.
    #[tracing::instrument(
        skip_all,
        fields(command = %envelope.command_id, correlation = %envelope.correlation_id, position)
    )]
    pub async fn execute<T, E, F>(
        &self,
        envelope: &Envelope,
        decide: F,
    ) -> Result<Executed<T>, ExecuteError<E>>
    where
        F: for<'w> Fn(&'w mut Work) -> BoxFuture<'w, Result<T, E>> + Send + Sync,
        T: Send,
        E: Send,
    {
        if let Some(digest) = envelope.remember
            && let Some((first_digest, outcome)) = self.remembered(envelope.command_id).await?
        {
            return if first_digest == digest {
                Ok(Executed { outcome, value: None })
            } else {
                Err(ExecuteError::KeyReused)
            };
        }
        self.takes_commands()?;
        let mut turn = None;
        for attempt in 0..=self.retries() {
            if attempt > 0 {
                counter!("kontor_command_retries_total").increment(1);
            }
            if attempt > 1 {
                // Its turn did not help: another process writes too.
                tokio::time::sleep(pause(attempt)).await;
            }
            let mut work = Work::new(self.clone());
            let value = decide(&mut work).await;
            // A refusal on stale facts is not the last word.
            let value = match value {
                Ok(value) => value,
                Err(refusal) if attempt == 0 && work.has_remembered_states() => {
                    if work.is_current().await? {
                        return Err(ExecuteError::Refused(refusal));
                    }
                    work.forget();
                    continue;
                }
                Err(refusal) => return Err(ExecuteError::Refused(refusal)),
            };
            match self.append(work.append(envelope)).await {
                Ok(Appended::Now { outcome, .. }) => {
                    tracing::Span::current().record("position", outcome.position.0);
                    work.keep();
                    return Ok(Executed { outcome, value: Some(value) });
                }
                Ok(Appended::Before(outcome)) => return Ok(Executed { outcome, value: None }),
                Err(AppendError::Conflict { stream_id }) => {
                    // One turn at a time, so that no two wait for each other's.
                    drop(turn.take());
                    turn = Some(self.turn(stream_id).await);
                    work.forget();
                }
                Err(AppendError::KeyReused) => return Err(ExecuteError::KeyReused),
                Err(AppendError::TooLarge) => return Err(ExecuteError::TooLarge),
                Err(AppendError::Log(error)) => return Err(error.into()),
            }
        }
        counter!("kontor_command_conflicts_total").increment(1);
        Err(ExecuteError::Conflict)
    }
}

impl EventLog {
    /// Lets `decide` load and decide as [`EventLog::execute`] would, on facts that are current, and
    /// records nothing.
    pub async fn rehearse<T, E, F>(&self, decide: F) -> Result<T, ExecuteError<E>>
    where
        F: for<'w> Fn(&'w mut Work) -> BoxFuture<'w, Result<T, E>> + Send + Sync,
        T: Send,
        E: Send,
    {
        for _ in 0..=self.retries() {
            let mut work = Work::new(self.clone());
            let value = decide(&mut work).await;
            if work.is_current().await? {
                let value = value.map_err(ExecuteError::Refused)?;
                let too_large = !work.in_parts && work.append(&NOBODY).is_too_large();
                return if too_large { Err(ExecuteError::TooLarge) } else { Ok(value) };
            }
            work.forget();
        }
        Err(ExecuteError::Conflict)
    }
}

impl Work {
    fn new(log: EventLog) -> Self {
        Self {
            log,
            streams: HashMap::new(),
            decided: Vec::new(),
            answer: None,
            events: 0,
            since_mark: None,
            lent: HashMap::new(),
            in_parts: false,
        }
    }

    /// Lets whoever decides use a thing that is no part of history, one of each type. What is read
    /// from it is not asserted.
    pub fn lend<T: Any + Send + Sync>(&mut self, thing: T) {
        self.lent.insert(TypeId::of::<T>(), Box::new(thing));
    }

    /// What was lent of this type.
    pub fn lent<T: Any>(&self) -> Option<&T> {
        self.lent.get(&TypeId::of::<T>())?.downcast_ref()
    }

    /// What was lent of this type, to be changed; one that was not lent begins empty.
    pub fn lent_mut<T: Any + Default + Send + Sync>(&mut self) -> &mut T {
        let lent = self.lent.entry(TypeId::of::<T>()).or_insert_with(|| Box::<T>::default());
        lent.downcast_mut().expect("its key names its type")
    }

    /// The newest position of the log: what was loaded before this was asked is not newer.
    pub async fn head(&self) -> Result<Position, Error> {
        self.log.head().await
    }

    /// Says that what is rehearsed will be appended in parts, each of which is small enough.
    pub fn in_parts(&mut self) {
        self.in_parts = true;
    }

    /// How many events were decided upon so far.
    pub fn events(&self) -> usize {
        self.events
    }

    /// Remembers how things are, for [`Work::roll_back`].
    pub fn mark(&mut self) {
        self.since_mark = Some(Mark { decided: self.decided.len(), before: Vec::new() });
    }

    /// Takes back what was decided since the mark. What was read meanwhile stays read.
    pub fn roll_back(&mut self) {
        let Some(Mark { decided, before }) = self.since_mark.take() else { return };
        for key in self.decided.drain(decided..) {
            if let Some(entry) = self.streams.get_mut(&key) {
                entry.is_decided = false;
            }
        }
        for (key, before) in before.into_iter().rev() {
            let entry = self.streams.get_mut(&key).expect("what was decided upon is loaded");
            let Before { company_id, state, bytes, events } = before;
            (entry.company_id, entry.state, entry.bytes) = (company_id, state, bytes);
            self.events -= entry.events.len() - events;
            entry.events.truncate(events);
        }
    }

    /// Reads an aggregate; its version will be asserted.
    pub async fn load<A: Aggregate + OfCompany + Clone + 'static>(
        &mut self,
        id: impl Into<Uuid>,
    ) -> Result<&A, Error> {
        let key = key::<A>(id);
        if !self.streams.contains_key(&key) {
            let loaded = self.log.load::<A>(key.1).await?;
            self.streams.insert(key, Entry::of(&loaded));
        }
        Ok(self.streams[&key].state())
    }

    /// Reads many aggregates of one kind with at most one query; then [`Work::get`] has them.
    /// Answers each id once with its version, 0 for what does not exist.
    pub async fn load_many<A: Aggregate + OfCompany + Clone + 'static>(
        &mut self,
        ids: impl IntoIterator<Item: Borrow<Uuid>>,
    ) -> Result<Vec<(Uuid, u64)>, Error> {
        let mut ids: Vec<Uuid> = ids.into_iter().map(|id| *id.borrow()).collect();
        ids.sort_unstable();
        ids.dedup();
        let new: Vec<Uuid> =
            ids.iter().copied().filter(|&id| !self.streams.contains_key(&key::<A>(id))).collect();
        for (id, loaded) in self.log.load_many::<A>(&new).await? {
            self.streams.insert(key::<A>(id), Entry::of(&loaded));
        }
        Ok(ids.into_iter().map(|id| (id, self.version::<A>(id))).collect())
    }

    /// Knows that an id made just now names nothing yet: nothing is read. The append asserts it.
    pub fn begin<A: Aggregate + OfCompany + Clone + 'static>(&mut self, id: impl Into<Uuid>) {
        let new = || Entry::of(&Loaded::<A>::default());
        self.streams.entry(key::<A>(id)).or_insert_with(new);
    }

    /// An aggregate that was loaded, with what was decided since.
    pub fn get<A: Aggregate + 'static>(&self, id: impl Into<Uuid>) -> Option<&A> {
        Some(self.streams.get(&key::<A>(id))?.state())
    }

    /// The version of an aggregate that was loaded, with what was decided since; 0 when it does
    /// not exist.
    pub fn version<A: Aggregate + 'static>(&self, id: impl Into<Uuid>) -> u64 {
        self.streams.get(&key::<A>(id)).map_or(0, Entry::new_version)
    }

    /// Whether an aggregate that was loaded begins in this unit of work.
    pub fn is_new<A: Aggregate + 'static>(&self, id: impl Into<Uuid>) -> bool {
        self.streams.get(&key::<A>(id)).is_some_and(|entry| entry.version == 0)
    }

    /// Lets an aggregate decide on a command; what it says is written at the end.
    pub async fn decide<A: Aggregate<Services = ()> + OfCompany + Clone + 'static>(
        &mut self,
        id: impl Into<Uuid>,
        command: A::Command,
    ) -> Result<(), WorkError<A::Error>>
    where
        A::Command: Send,
        A::Error: Send,
    {
        let key = key::<A>(id);
        self.load::<A>(key.1).await?;
        let entry = self.streams.get_mut(&key).expect("it was loaded just now");
        if !std::mem::replace(&mut entry.is_decided, true) {
            self.decided.push(key);
        }
        // On a copy: a refusal half way must leave nothing behind.
        let mut state = entry.state::<A>().clone();
        let sink = EventSink::default();
        state.handle(command, &(), &sink).await.map_err(WorkError::Refused)?;
        let events = sink.collect().await;
        let events: Vec<NewEvent> = events.iter().map(new_event).collect::<Result<_, _>>()?;
        let company_id = state.company().map(Uuid::from);
        let before = Before {
            company_id: std::mem::replace(&mut entry.company_id, company_id),
            state: std::mem::replace(&mut entry.state, Box::new(state)),
            bytes: entry.bytes,
            events: entry.events.len(),
        };
        if let Some(mark) = &mut self.since_mark {
            mark.before.push((key, before));
        }
        entry.bytes += events.iter().map(|event| event.payload.len() as u64).sum::<u64>();
        self.events += events.len();
        entry.events.extend(events);
        Ok(())
    }

    /// Says which aggregate the outcome names; without it, the first that was decided upon.
    pub fn answer(&mut self, id: impl Into<Uuid>) {
        self.answer = Some(id.into());
    }

    fn append(&self, envelope: &Envelope) -> Append {
        let reads = self.streams.iter().filter(|(_, entry)| entry.events.is_empty());
        let writes = self.decided.iter().filter_map(|key| {
            let entry = &self.streams[key];
            (!entry.events.is_empty()).then(|| StreamWrite {
                stream_type: entry.stream_type,
                stream_id: key.1,
                expected: entry.version,
                company_id: entry.company_id,
                events: entry.events.clone(),
            })
        });
        let answer = self.answer.or(self.decided.first().map(|key| key.1)).unwrap_or_default();
        let named = self.streams.iter().filter(|(key, _)| key.1 == answer);
        let version = named.map(|(_, entry)| entry.version).max().unwrap_or(0);
        Append {
            envelope: envelope.clone(),
            writes: writes.collect(),
            reads: reads.map(|(key, entry)| (key.1, entry.version)).collect(),
            answer: (answer, version),
        }
    }

    fn keep(self) {
        for ((_, id), entry) in self.streams {
            if !entry.events.is_empty() {
                (entry.keep)(&self.log, id, entry);
            }
        }
    }

    fn forget(&self) {
        for (&(kind, id), entry) in &self.streams {
            self.log.cache().forget(kind, id, entry.version);
        }
    }

    fn has_remembered_states(&self) -> bool {
        !self.streams.is_empty()
    }

    /// Whether all that was read is still so.
    async fn is_current(&self) -> Result<bool, Error> {
        let seen: Vec<(Uuid, u64)> =
            self.streams.iter().map(|(key, entry)| (key.1, entry.version)).collect();
        self.log.are_current(&seen).await
    }
}

impl Entry {
    fn of<A: Aggregate + OfCompany + Clone + 'static>(loaded: &Loaded<A>) -> Self {
        Self {
            stream_type: A::TYPE,
            version: loaded.version,
            company_id: loaded.state.company().map(Uuid::from),
            state: Box::new(loaded.state.clone()),
            bytes: loaded.bytes,
            snapshot: loaded.snapshot,
            events: Vec::new(),
            is_decided: false,
            keep: |log, id, entry| {
                let (version, bytes, snapshot) = (entry.new_version(), entry.bytes, entry.snapshot);
                if let Ok(state) = entry.state.downcast::<A>() {
                    log.keep(id, Loaded { version, state: *state, bytes, snapshot });
                }
            },
        }
    }

    fn state<A: 'static>(&self) -> &A {
        self.state.downcast_ref().expect("its key names its type")
    }

    fn new_version(&self) -> u64 {
        self.version + self.events.len() as u64
    }
}

/// What came of asking an aggregate.
#[derive(Debug, thiserror::Error)]
pub enum WorkError<E> {
    /// It said no.
    #[error(transparent)]
    Refused(E),
    /// It could not be asked.
    #[error(transparent)]
    Log(#[from] Error),
}

/// Grows with every attempt and differs between those who collide.
fn pause(attempt: u32) -> Duration {
    let most = 2_u64 << attempt.min(6);
    Duration::from_millis(rand::random_range(1..=most))
}
