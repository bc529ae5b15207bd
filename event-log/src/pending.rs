//! Pending states: the state of a stream after the appends that are queued for it. The next
//! decision uses them at once and does not wait for the commit.
//!
//! Decisions are queued under one lock, which also checks that everything they read is still the
//! newest. So the order of the queue is the order of dependence. An append that depends on a failed
//! one is not written either: the writer asks [`QueuedAppend::is_void`]. Comparing versions is not
//! enough: another process may have written as many events as the failed append.

use std::{
    any::Any,
    collections::{BTreeSet, HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
};

use tokio::sync::{Notify, mpsc, oneshot};
use uuid::Uuid;

use crate::{
    Append, AppendError, Appended,
    cache::{Cache, Key, Loaded, State},
    turns::{Ticket, Turns},
    writer::Request,
};

/// The pending states of the streams of this process, and the queues of commands at contested
/// streams.
pub(crate) struct Pending {
    cache: Cache,
    tickets: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    tips: HashMap<Uuid, Tip>,
    /// Commands in flight whose outcome will be stored.
    commands: HashMap<Uuid, Arc<AppendStatus>>,
    turns: Turns,
    /// The number of appends that were queued.
    handed: u64,
}

/// The state of a stream after its last pending append.
#[derive(Clone)]
struct Tip {
    /// The first pending append of the unbroken sequence that led to this state.
    chain: u64,
    state: Arc<dyn State>,
    made_by: Arc<AppendStatus>,
}

/// The result of an append.
pub(crate) struct AppendStatus {
    number: u64,
    state: AtomicU8,
    ended: Notify,
}

/// A decision and the state that it read.
pub(crate) struct Decided {
    pub(crate) append: Append,
    /// Every stream that was read or is written.
    pub(crate) seen: Vec<Seen>,
    /// The new states of the written streams.
    pub(crate) made: Vec<(Key, Arc<dyn State>)>,
}

/// A stream as the decision read it.
pub(crate) struct Seen {
    pub(crate) key: Key,
    pub(crate) version: u64,
    /// The pending append that produced this state, if any.
    pub(crate) made_by: Option<Arc<AppendStatus>>,
}

/// The result of queueing a decision.
pub(crate) enum HandOver {
    /// The writer has it and will report its result.
    Queued(oneshot::Receiver<Result<Appended, AppendError>>),
    /// This stream has changed since it was read, or another command has the turn to write it.
    Overtaken(Uuid),
    /// The same command is in flight already.
    Repeated(Arc<AppendStatus>),
}

/// A queued append. Dropped without a result, it counts as failed.
pub(crate) struct QueuedAppend {
    pending: Arc<Pending>,
    status: Arc<AppendStatus>,
    bases: Vec<Arc<AppendStatus>>,
    command_id: Option<Uuid>,
    seen: Vec<(Key, u64)>,
    made: Vec<Made>,
}

struct Made {
    chain: u64,
    key: Key,
    state: Arc<dyn State>,
}

impl Pending {
    pub(crate) fn new(cache: Cache) -> Arc<Self> {
        Arc::new(Self { cache, tickets: AtomicU64::default(), inner: Mutex::default() })
    }

    /// States that are durable.
    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// A place in the order of arrival.
    pub(crate) fn arrive(&self) -> Ticket {
        self.tickets.fetch_add(1, Ordering::Relaxed)
    }

    /// No code panics while it holds this lock.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state of a stream after its pending appends, and the last of them.
    pub(crate) fn tip<A: Send + Sync + 'static>(
        &self,
        id: Uuid,
    ) -> Option<(Arc<Loaded<A>>, Arc<AppendStatus>)> {
        let Tip { state, made_by, .. } = self.lock().tips.get(&id)?.clone();
        let state: Arc<dyn Any + Send + Sync> = state;
        Some((state.downcast().ok()?, made_by))
    }

    /// The streams at which another command has the turn or waits for it.
    pub(crate) fn contested(
        &self,
        streams: impl Iterator<Item = Uuid>,
        ticket: Ticket,
    ) -> BTreeSet<Uuid> {
        let inner = self.lock();
        streams.filter(|stream| inner.turns.is_anothers(*stream, ticket)).collect()
    }

    /// Queues a decision for the writer if everything that it read is still the newest that this
    /// process knows. A contested stream is written only by the command that has the turn.
    pub(crate) fn hand_over(
        self: &Arc<Self>,
        decided: Decided,
        ticket: Ticket,
        place: mpsc::Permit<'_, Request>,
    ) -> HandOver {
        let Decided { append, seen, made } = decided;
        let inner = &mut *self.lock();
        let command_id = append.envelope.remember.map(|_| append.envelope.command_id);
        if let Some(first) = command_id.and_then(|id| inner.commands.get(&id)) {
            return HandOver::Repeated(first.clone());
        }
        let barred = made.iter().find(|((_, id), _)| inner.turns.is_anothers(*id, ticket));
        let overtaken = barred
            .map(|((_, id), _)| *id)
            .or_else(|| Some(seen.iter().find(|seen| !inner.is_newest(seen, &self.cache))?.key.1));
        if let Some(stream) = overtaken {
            return HandOver::Overtaken(stream);
        }
        inner.handed += 1;
        let status = Arc::new(AppendStatus::new(inner.handed));
        if let Some(id) = command_id {
            inner.commands.insert(id, status.clone());
        }
        let made = made.into_iter().map(|(key, state)| inner.tip(key, state, &status)).collect();
        let is_pending = |status: &Arc<AppendStatus>| status.is(AppendStatus::PENDING);
        let (reply, answer) = oneshot::channel();
        let handed = QueuedAppend {
            pending: self.clone(),
            status,
            bases: seen.iter().filter_map(|seen| seen.made_by.clone()).filter(is_pending).collect(),
            command_id,
            seen: seen.into_iter().map(|seen| (seen.key, seen.version)).collect(),
            made,
        };
        place.send(Request::new(append, Some(handed), reply));
        HandOver::Queued(answer)
    }

    /// Joins the queues of streams; dropping the place leaves them.
    pub(crate) fn enter(self: &Arc<Self>, ticket: Ticket, streams: BTreeSet<Uuid>) -> Place {
        let call = self.lock().turns.enter(ticket, &streams, &BTreeSet::new());
        Place { pending: self.clone(), ticket, streams, call }
    }

    /// Whether nothing is pending and no command waits for a turn.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        let inner = self.lock();
        inner.tips.is_empty() && inner.commands.is_empty() && inner.turns.is_idle()
    }
}

impl Inner {
    fn is_newest(&self, seen: &Seen, cache: &Cache) -> bool {
        let Seen { key, version, made_by } = seen;
        match (self.tips.get(&key.1), made_by) {
            (Some(tip), Some(made_by)) => Arc::ptr_eq(&tip.made_by, made_by),
            (Some(_), None) => false,
            // No longer pending: it is durable or has failed.
            (None, Some(made_by)) if !made_by.is(AppendStatus::WRITTEN) => false,
            (None, _) => cache.version(key).is_none_or(|newest| newest <= *version),
        }
    }

    /// Sets the pending state of a stream.
    fn tip(&mut self, key: Key, state: Arc<dyn State>, made_by: &Arc<AppendStatus>) -> Made {
        let chain = self.tips.get(&key.1).map_or(made_by.number, |tip| tip.chain);
        self.tips.insert(key.1, Tip { chain, state: state.clone(), made_by: made_by.clone() });
        Made { chain, key, state }
    }
}

impl AppendStatus {
    const PENDING: u8 = 0;
    const WRITTEN: u8 = 1;
    const VOID: u8 = 2;

    fn new(number: u64) -> Self {
        Self { number, state: AtomicU8::new(Self::PENDING), ended: Notify::new() }
    }

    fn is(&self, state: u8) -> bool {
        self.state.load(Ordering::Acquire) == state
    }

    /// Whether the append is still pending.
    pub(crate) fn is_pending(&self) -> bool {
        self.is(Self::PENDING)
    }

    /// Waits until the append is durable or has failed.
    pub(crate) async fn ended(&self) {
        let ended = self.ended.notified();
        tokio::pin!(ended);
        // Registered before the check, so that no notification is missed.
        ended.as_mut().enable();
        if self.is_pending() {
            ended.await;
        }
    }

    fn end(&self, state: u8) {
        self.state.store(state, Ordering::Release);
        self.ended.notify_waiters();
    }
}

impl QueuedAppend {
    /// Its number among the appends of this process.
    pub(crate) fn number(&self) -> u64 {
        self.status.number
    }

    /// Whether it depends on an append that failed.
    pub(crate) fn is_void(&self, declined: &HashSet<u64>) -> bool {
        self.bases.iter().any(|base| base.is(AppendStatus::VOID) || declined.contains(&base.number))
    }

    /// Marks it as durable and caches its states.
    pub(crate) fn written(self) {
        let inner = &mut *self.pending.lock();
        for Made { key, state, .. } in &self.made {
            self.pending.cache.put_state(*key, state.clone());
            if let Some(tip) = inner.tips.get(&key.1)
                && Arc::ptr_eq(&tip.made_by, &self.status)
            {
                inner.tips.remove(&key.1);
            }
        }
        self.end(inner, AppendStatus::WRITTEN);
    }

    /// Marks it as lost: another process changed what it read.
    pub(crate) fn conflicted(self) {
        // Before another decision can read it again.
        for ((kind, id), version) in &self.seen {
            self.pending.cache.forget(*kind, *id, *version);
        }
    }

    fn end(&self, inner: &mut Inner, state: u8) {
        if let Some(id) = self.command_id {
            inner.commands.remove(&id);
        }
        self.status.end(state);
    }
}

impl Drop for QueuedAppend {
    /// Without a result it has failed, and with it all that depends on it.
    fn drop(&mut self) {
        if !self.status.is_pending() {
            return;
        }
        let pending = self.pending.clone();
        let inner = &mut *pending.lock();
        for Made { key, chain, .. } in &self.made {
            if inner.tips.get(&key.1).is_some_and(|tip| tip.chain == *chain) {
                inner.tips.remove(&key.1);
            }
        }
        self.end(inner, AppendStatus::VOID);
    }
}

/// A place in the queues of some streams.
pub(crate) struct Place {
    pending: Arc<Pending>,
    ticket: Ticket,
    streams: BTreeSet<Uuid>,
    /// `None` once it is its turn.
    call: Option<oneshot::Receiver<()>>,
}

impl Place {
    /// Waits for the turn.
    pub(crate) async fn come(&mut self) {
        if let Some(call) = &mut self.call {
            // The sender is dropped only when this place leaves the queue.
            let _ = call.await;
            self.call = None;
        }
    }

    /// The streams of these queues.
    pub(crate) fn streams(&self) -> &BTreeSet<Uuid> {
        &self.streams
    }

    /// Joins more queues, with the same rank.
    pub(crate) fn widen(&mut self, streams: &BTreeSet<Uuid>) {
        let all: BTreeSet<Uuid> = self.streams.union(streams).copied().collect();
        self.call = self.pending.lock().turns.enter(self.ticket, &all, &self.streams);
        self.streams = all;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.pending.lock().turns.leave(self.ticket, &self.streams);
    }
}

#[cfg(test)]
mod tests {
    use std::any::TypeId;

    use super::*;
    use crate::{Envelope, StreamWrite};

    const STREAM: Uuid = Uuid::from_u128(1);

    /// The queue of the writer, and the decisions queued for it.
    struct Queue {
        pending: Arc<Pending>,
        sender: mpsc::Sender<Request>,
        requests: mpsc::Receiver<Request>,
    }

    impl Queue {
        fn new() -> Self {
            let (sender, requests) = mpsc::channel(8);
            Self { pending: Pending::new(Cache::new(1 << 20)), sender, requests }
        }

        /// Adds an event to the stream, as it is now.
        fn add(&self, ticket: Ticket, command_id: u128) -> HandOver {
            let (version, made_by) = match self.pending.tip::<u64>(STREAM) {
                Some((loaded, made_by)) => (loaded.version, Some(made_by)),
                None => {
                    (self.pending.cache.get::<u64>(STREAM).map_or(0, |kept| kept.version), None)
                }
            };
            let key = (TypeId::of::<u64>(), STREAM);
            let event = crate::NewEvent {
                event_type: "thing.happened".into(),
                schema_version: 1,
                payload: "{}".to_owned(),
            };
            let write = StreamWrite {
                stream_type: "thing",
                stream_id: STREAM,
                expected: version,
                company_id: None,
                events: vec![event],
            };
            let append = Append {
                envelope: Envelope {
                    command_id: Uuid::from_u128(command_id),
                    remember: Some([0; 32]),
                    actor: String::new(),
                    correlation_id: Uuid::nil(),
                    causation_id: None,
                },
                writes: vec![write],
                reads: Vec::new(),
                answer: (STREAM, version),
            };
            let state = Loaded::<u64> { version: version + 1, ..Loaded::default() };
            let decided = Decided {
                append,
                seen: vec![Seen { key, version, made_by }],
                made: vec![(key, Arc::new(state))],
            };
            self.pending.hand_over(decided, ticket, self.sender.try_reserve().unwrap())
        }

        fn next(&mut self) -> QueuedAppend {
            self.requests.try_recv().unwrap().handed.unwrap()
        }

        fn tip(&self) -> Option<u64> {
            Some(self.pending.tip::<u64>(STREAM)?.0.version)
        }
    }

    #[test]
    fn what_is_written_is_kept_and_no_longer_pending() {
        let mut queue = Queue::new();
        assert!(matches!(queue.add(1, 1), HandOver::Queued(_)));
        assert!(matches!(queue.add(2, 2), HandOver::Queued(_)));
        assert_eq!(queue.tip(), Some(2));
        let (first, second) = (queue.next(), queue.next());
        assert!(!second.is_void(&HashSet::new()));
        assert!(second.is_void(&HashSet::from([first.number()])));
        first.written();
        assert_eq!(queue.tip(), Some(2));
        second.written();
        assert_eq!(queue.tip(), None);
        assert_eq!(queue.pending.cache.get::<u64>(STREAM).unwrap().version, 2);
        assert!(queue.pending.is_idle());
    }

    /// Otherwise new decisions would depend on failed appends.
    #[test]
    fn what_came_to_nothing_takes_with_it_what_builds_on_it() {
        let mut queue = Queue::new();
        queue.add(1, 1);
        queue.add(2, 2);
        let (first, second) = (queue.next(), queue.next());
        drop(first);
        assert_eq!(queue.tip(), None);
        assert!(second.is_void(&HashSet::new()));
        queue.add(3, 3);
        drop(second);
        assert_eq!(queue.tip(), Some(1), "the third does not build on the second");
        let third = queue.next();
        assert!(!third.is_void(&HashSet::new()));
        third.written();
        assert!(queue.pending.is_idle());
    }

    #[test]
    fn a_contested_stream_is_written_in_turns() {
        let mut queue = Queue::new();
        let place = queue.pending.enter(1, BTreeSet::from([STREAM]));
        assert!(matches!(queue.add(2, 2), HandOver::Overtaken(STREAM)));
        assert!(matches!(queue.add(1, 1), HandOver::Queued(_)));
        drop(place);
        assert!(matches!(queue.add(2, 2), HandOver::Queued(_)));
        assert!(matches!(queue.add(3, 2), HandOver::Repeated(_)));
        queue.next().written();
        queue.next().written();
        assert!(queue.pending.is_idle());
    }
}
