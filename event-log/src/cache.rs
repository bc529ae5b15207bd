//! A cache of aggregates, so that a command needs no round trip to decide. An entry may be stale:
//! the version check of the append detects it.

use std::{
    any::{Any, TypeId},
    sync::Arc,
};

use metrics::counter;
use quick_cache::Weighter;
use uuid::Uuid;

/// The most recently used aggregates of all kinds.
pub(crate) struct Cache {
    entries: quick_cache::sync::Cache<Key, Arc<dyn State>, ByHistory>,
}

/// An id alone would let a client, who may name any id, have one kind of aggregate found as
/// another.
pub(crate) type Key = (TypeId, Uuid);

/// A [`Loaded`] of some kind.
pub(crate) trait State: Any + Send + Sync {
    fn version(&self) -> u64;
    fn bytes(&self) -> u64;
}

/// The capacity is in bytes, so a large aggregate displaces many small ones.
#[derive(Clone)]
struct ByHistory;

impl Weighter<Key, Arc<dyn State>> for ByHistory {
    fn weight(&self, _: &Key, entry: &Arc<dyn State>) -> u64 {
        Cache::LEAST + entry.bytes()
    }
}

/// An aggregate's state after its `version` first events.
#[derive(Debug, Clone, Default)]
pub struct Loaded<A> {
    /// Its version: the number of its events.
    pub version: u64,
    /// The state.
    pub state: A,
    /// Its size in bytes: the snapshot that it was read from and the payloads since.
    pub(crate) bytes: u64,
    /// The version at which the last snapshot was taken; 0 when there is none.
    pub(crate) snapshot: u64,
}

impl<A: Send + Sync + 'static> State for Loaded<A> {
    fn version(&self) -> u64 {
        self.version
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Cache {
    /// The smallest size of an entry, in bytes.
    const LEAST: u64 = 256;

    pub(crate) fn new(bytes: u64) -> Self {
        let many = usize::try_from(bytes / (4 * Self::LEAST)).unwrap_or(usize::MAX);
        Self { entries: quick_cache::sync::Cache::with_weighter(many, bytes, ByHistory) }
    }

    /// The number of entries and their size in bytes.
    pub(crate) fn size(&self) -> (usize, u64) {
        (self.entries.len(), self.entries.weight())
    }

    pub(crate) fn get<A: Send + Sync + 'static>(&self, id: Uuid) -> Option<Arc<Loaded<A>>> {
        let found = self.entries.get(&(TypeId::of::<A>(), id));
        let metric = match found {
            Some(_) => counter!("kontor_aggregate_cache_hits_total"),
            None => counter!("kontor_aggregate_cache_misses_total"),
        };
        metric.increment(1);
        let found: Arc<dyn Any + Send + Sync> = found?;
        found.downcast().ok()
    }

    /// Stores a state, unless a newer one is cached.
    pub(crate) fn put<A: Send + Sync + 'static>(&self, id: Uuid, loaded: Arc<Loaded<A>>) {
        self.put_state((TypeId::of::<A>(), id), loaded);
    }

    /// The same of a state of any kind.
    pub(crate) fn put_state(&self, key: Key, state: Arc<dyn State>) {
        if self.version(&key).is_none_or(|kept| kept <= state.version()) {
            self.entries.insert(key, state);
        }
    }

    /// The version of a state, if it is cached.
    pub(crate) fn version(&self, key: &Key) -> Option<u64> {
        Some(self.entries.peek(key)?.version())
    }

    /// Removes every state.
    pub(crate) fn clear(&self) {
        self.entries.clear();
    }

    /// Removes a stale state, unless a newer one has replaced it.
    pub(crate) fn forget(&self, kind: TypeId, id: Uuid, stale: u64) {
        self.entries.remove_if(&(kind, id), |kept| kept.version() <= stale);
    }
}
