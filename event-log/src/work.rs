//! A unit of work: what one command loads and decides.
//!
//! The append asserts the versions of everything that was read (optimistic concurrency), so no
//! decision is based on stale state.

use std::{
    any::{Any, TypeId},
    borrow::Borrow,
    collections::HashMap,
    sync::Arc,
};

use cqrs_es::{Aggregate, event_sink::EventSink};
use domain::OfCompany;
use uuid::Uuid;

pub use crate::cache::Loaded;
use crate::{
    Append, Envelope, Error, EventLog, NewEvent, Position, StreamWrite,
    cache::{Key, State},
    execute::Decision,
    pending::{AppendStatus, Decided, Place, Seen},
    snapshots::Snapshot,
    store::new_event,
    turns::Ticket,
};

/// The actor of a rehearsed command (a dry run).
const NOBODY: Envelope = Envelope {
    command_id: Uuid::nil(),
    remember: None,
    actor: String::new(),
    correlation_id: Uuid::nil(),
    causation_id: None,
};

/// The aggregates that one command has read, and its decisions so far.
pub struct Work {
    log: EventLog,
    streams: HashMap<Key, Entry>,
    /// Streams in the order in which they were first decided upon.
    decided: Vec<Key>,
    answer: Option<Uuid>,
    /// The number of events to write.
    events: usize,
    /// The changes since the mark; they are undone from the newest on.
    since_mark: Option<Mark>,
    /// Values that decisions use besides events; the append does not assert them.
    extensions: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
    /// Whether a rehearsal may be larger than one append.
    in_parts: bool,
    /// Its rank among commands, and its place in the queues of contested streams; a rehearsal has
    /// none, and reads durable state only.
    queued: Option<(Ticket, Option<Place>)>,
}

/// A unit of work that is decided.
pub(crate) struct Ready {
    pub(crate) decision: Decision,
    /// To be stored once the new states are durable.
    pub(crate) snapshots: Vec<Snapshot>,
}

/// The decisions since a mark, to be undone.
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

fn key<A: 'static>(id: impl Into<Uuid>) -> Key {
    (TypeId::of::<A>(), id.into())
}

/// An aggregate in a unit of work.
struct Entry {
    stream_type: &'static str,
    /// The version that was read.
    version: u64,
    /// The pending append that produced this state, if any.
    made_by: Option<Arc<AppendStatus>>,
    company_id: Option<Uuid>,
    state: Box<dyn Any + Send + Sync>,
    /// The size of the state in memory; see [`Loaded`].
    bytes: u64,
    /// The version at which the last snapshot was taken.
    snapshot: u64,
    events: Vec<NewEvent>,
    /// The number of its events that are in the append already.
    written: u64,
    /// Whether it is among [`Work::decided`].
    is_decided: bool,
    /// The new state, and a snapshot of it if one is due.
    make: fn(Self, &EventLog, Uuid) -> Made,
}

/// A new state, and a snapshot of it if one is due.
type Made = (Arc<dyn State>, Option<Snapshot>);

impl Work {
    pub(crate) fn new(log: EventLog, queued: Option<(Ticket, Option<Place>)>) -> Self {
        Self {
            log,
            queued,
            streams: HashMap::new(),
            decided: Vec::new(),
            answer: None,
            events: 0,
            since_mark: None,
            extensions: HashMap::new(),
            in_parts: false,
        }
    }

    /// Adds a value that is not derived from events, one of each type, for use in decisions. The
    /// append does not assert it.
    pub fn insert_extension<T: Any + Send + Sync>(&mut self, thing: T) {
        self.extensions.insert(TypeId::of::<T>(), Box::new(thing));
    }

    /// The value of this type.
    pub fn extension<T: Any>(&self) -> Option<&T> {
        self.extensions.get(&TypeId::of::<T>())?.downcast_ref()
    }

    /// The value of this type, mutable; a default one if there is none.
    pub fn extension_mut<T: Any + Default + Send + Sync>(&mut self) -> &mut T {
        let extension =
            self.extensions.entry(TypeId::of::<T>()).or_insert_with(|| Box::<T>::default());
        extension.downcast_mut().expect("its key names its type")
    }

    /// The newest position of the log: what was loaded before this was asked is not newer.
    pub async fn head(&self) -> Result<Position, Error> {
        for made_by in self.streams.values().filter_map(|entry| entry.made_by.as_ref()) {
            made_by.ended().await;
        }
        self.log.head().await
    }

    /// Allows a rehearsal to exceed the limit of one append, because the events will be appended in
    /// parts.
    pub fn in_parts(&mut self) {
        self.in_parts = true;
    }

    /// The number of events so far.
    pub fn events(&self) -> usize {
        self.events
    }

    /// Sets the mark for [`Work::roll_back`].
    pub fn mark(&mut self) {
        self.since_mark = Some(Mark { decided: self.decided.len(), before: Vec::new() });
    }

    /// Undoes the decisions since the mark. What was read meanwhile is still asserted.
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
            self.come(&[key.1]).await;
            let entry = match self.pending::<A>(key.1) {
                Some(entry) => entry,
                None => Entry::of(&*self.log.load::<A>(key.1).await?, None),
            };
            self.streams.insert(key, entry);
        }
        Ok(self.streams[&key].state())
    }

    /// The streams that were read before they were durable.
    fn pending<A: Aggregate + OfCompany + Clone + 'static>(&self, id: Uuid) -> Option<Entry> {
        self.queued.as_ref()?;
        let (loaded, made_by) = self.log.pending().tip::<A>(id)?;
        Some(Entry::of(&*loaded, Some(made_by)))
    }

    /// Waits for its turn at contested streams, in the order of arrival. A command that has a turn
    /// already does not wait for another one; otherwise two could wait for each other.
    async fn come(&mut self, ids: &[Uuid]) {
        let Some((ticket, place @ None)) = &mut self.queued else { return };
        let contested = self.log.pending().contested(ids.iter().copied(), *ticket);
        if !contested.is_empty() {
            place.insert(self.log.pending().enter(*ticket, contested)).come().await;
        }
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
        let mut new = ids.clone();
        new.retain(|&id| !self.streams.contains_key(&key::<A>(id)));
        self.come(&new).await;
        new.retain(|&id| match self.pending::<A>(id) {
            Some(entry) => self.streams.insert(key::<A>(id), entry).is_some(),
            None => true,
        });
        for (id, loaded) in self.log.load_many::<A>(&new).await? {
            self.streams.insert(key::<A>(id), Entry::of(&*loaded, None));
        }
        Ok(ids.into_iter().map(|id| (id, self.version::<A>(id))).collect())
    }

    /// Declares that a new id has no events, without reading. The append asserts it.
    pub fn begin<A: Aggregate + OfCompany + Clone + 'static>(&mut self, id: impl Into<Uuid>) {
        let new = || Entry::of(&Loaded::<A>::default(), None);
        self.streams.entry(key::<A>(id)).or_insert_with(new);
    }

    /// A loaded aggregate, including the decisions of this unit of work.
    pub fn get<A: Aggregate + 'static>(&self, id: impl Into<Uuid>) -> Option<&A> {
        Some(self.streams.get(&key::<A>(id))?.state())
    }

    /// The version of a loaded aggregate, including the decisions of this unit of work; 0 when it
    /// does not exist.
    pub fn version<A: Aggregate + 'static>(&self, id: impl Into<Uuid>) -> u64 {
        self.streams.get(&key::<A>(id)).map_or(0, Entry::new_version)
    }

    /// Whether an aggregate that was loaded begins in this unit of work.
    pub fn is_new<A: Aggregate + 'static>(&self, id: impl Into<Uuid>) -> bool {
        self.streams.get(&key::<A>(id)).is_some_and(|entry| entry.version == 0)
    }

    /// Lets an aggregate decide on a command; its events are appended at the end.
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
        // On a copy, so that a refusal has no effect.
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

    /// Sets the aggregate that the outcome names; the default is the first that was decided upon.
    pub fn answer(&mut self, id: impl Into<Uuid>) {
        self.answer = Some(id.into());
    }

    /// All decisions as one append.
    fn append(&mut self, envelope: &Envelope) -> Append {
        let reads = self.streams.iter().filter(|(_, entry)| entry.events.is_empty());
        let reads = reads.map(|(key, entry)| (key.1, entry.version)).collect();
        let answer = self.answer.or(self.decided.first().map(|key| key.1)).unwrap_or_default();
        let named = self.streams.iter().filter(|(key, _)| key.1 == answer);
        let version = named.map(|(_, entry)| entry.version).max().unwrap_or(0);
        let mut writes = Vec::new();
        for key in &self.decided {
            let entry = self.streams.get_mut(key).expect("what was decided upon is loaded");
            if !entry.events.is_empty() {
                entry.written = entry.events.len() as u64;
                writes.push(StreamWrite {
                    stream_type: entry.stream_type,
                    stream_id: key.1,
                    expected: entry.version,
                    company_id: entry.company_id,
                    events: std::mem::take(&mut entry.events),
                });
            }
        }
        Append { envelope: envelope.clone(), writes, reads, answer: (answer, version) }
    }

    /// The decision for the writer.
    pub(crate) fn ready(mut self, envelope: &Envelope) -> Ready {
        let append = self.append(envelope);
        let (seen, built_on) = self.seen();
        let (mut made, mut snapshots) = (Vec::with_capacity(append.writes.len()), Vec::new());
        for key in &self.decided {
            let Some(entry) = self.streams.remove(key).filter(|entry| entry.written > 0) else {
                continue;
            };
            let (state, snapshot) = (entry.make)(entry, &self.log, key.1);
            made.push((*key, state));
            snapshots.extend(snapshot);
        }
        let place = self.queued.and_then(|(_, place)| place);
        let decided = Decided { append, seen, made };
        Ready { decision: Decision { decided, place, built_on }, snapshots }
    }

    /// The refusal for the writer, which checks that everything it read is durable and current.
    pub(crate) fn ready_to_refuse(self, envelope: &Envelope) -> Ready {
        let (seen, built_on) = self.seen();
        let append = Append {
            // The outcome of a refusal is not stored.
            envelope: Envelope { remember: None, ..envelope.clone() },
            writes: Vec::new(),
            reads: seen.iter().map(|seen| (seen.key.1, seen.version)).collect(),
            answer: (Uuid::nil(), 0),
        };
        let place = self.queued.and_then(|(_, place)| place);
        let decided = Decided { append, seen, made: Vec::new() };
        Ready { decision: Decision { decided, place, built_on }, snapshots: Vec::new() }
    }

    fn seen(&self) -> (Vec<Seen>, Vec<Uuid>) {
        let built_on = self.streams.iter().filter(|(_, entry)| entry.made_by.is_some());
        let built_on = built_on.map(|(key, _)| key.1).collect();
        let seen = self.streams.iter().map(|(key, entry)| Seen {
            key: *key,
            version: entry.version,
            made_by: entry.made_by.clone(),
        });
        (seen.collect(), built_on)
    }

    /// Whether a rehearsal exceeds the limit of one append that applies to it.
    pub(crate) fn exceeds_an_append(mut self) -> bool {
        !self.in_parts && self.append(&NOBODY).is_too_large()
    }

    /// Whether something that it read was not durable.
    pub(crate) fn builds_on_pending(&self) -> bool {
        self.streams.values().any(|entry| entry.made_by.is_some())
    }

    pub(crate) fn forget(&self) {
        for (&(kind, id), entry) in &self.streams {
            self.log.cache().forget(kind, id, entry.version);
        }
    }

    /// Whether everything that was read is still current.
    pub(crate) async fn is_current(&self) -> Result<bool, Error> {
        if self.streams.is_empty() {
            return Ok(true);
        }
        let seen: Vec<(Uuid, u64)> =
            self.streams.iter().map(|(key, entry)| (key.1, entry.version)).collect();
        self.log.are_current(&seen).await
    }
}

impl Entry {
    fn of<A: Aggregate + OfCompany + Clone + 'static>(
        loaded: &Loaded<A>,
        made_by: Option<Arc<AppendStatus>>,
    ) -> Self {
        Self {
            stream_type: A::TYPE,
            version: loaded.version,
            made_by,
            company_id: loaded.state.company().map(Uuid::from),
            state: Box::new(loaded.state.clone()),
            bytes: loaded.bytes,
            snapshot: loaded.snapshot,
            events: Vec::new(),
            written: 0,
            is_decided: false,
            make: |entry, log, id| {
                let version = entry.version + entry.written;
                let Self { bytes, snapshot, state, .. } = entry;
                let state = *state.downcast::<A>().expect("its key names its type");
                let mut loaded = Loaded { version, state, bytes, snapshot };
                let snapshot = log.snapshots().make(id, &mut loaded);
                (Arc::new(loaded), snapshot)
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

/// Why an aggregate recorded nothing.
#[derive(Debug, thiserror::Error)]
pub enum WorkError<E> {
    /// The aggregate refused the command.
    #[error(transparent)]
    Refused(E),
    /// The aggregate could not be loaded.
    #[error(transparent)]
    Log(#[from] Error),
}
