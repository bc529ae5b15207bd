//! Aggregates in memory, so that a command needs no round trip to decide. An entry may be stale:
//! the version check of the append finds out.

use std::{any::Any, sync::Arc};

use metrics::counter;
use uuid::Uuid;

/// The most recently used aggregates of all kinds.
pub(crate) struct Cache {
    entries: quick_cache::sync::Cache<Uuid, Arc<dyn Any + Send + Sync>>,
}

/// An aggregate's state after its `version` first events.
#[derive(Debug, Clone, Default)]
pub struct Loaded<A> {
    /// How many events made it; 0 when there are none.
    pub version: u64,
    /// The state.
    pub state: A,
}

impl Cache {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: quick_cache::sync::Cache::new(capacity) }
    }

    pub(crate) fn get<A: Send + Sync + 'static>(&self, id: Uuid) -> Option<Arc<Loaded<A>>> {
        let found = self.entries.get(&id).and_then(|entry| entry.downcast::<Loaded<A>>().ok());
        let metric = match found {
            Some(_) => counter!("kontor_aggregate_cache_hits_total"),
            None => counter!("kontor_aggregate_cache_misses_total"),
        };
        metric.increment(1);
        found
    }

    pub(crate) fn put<A: Send + Sync + 'static>(&self, id: Uuid, version: u64, state: A) {
        self.entries.insert(id, Arc::new(Loaded { version, state }));
    }

    pub(crate) fn forget(&self, id: Uuid) {
        self.entries.remove(&id);
    }
}
