//! What was read lately, remembered for as long as what it was read from stays as it was.

use std::hash::Hash;

use event_log::Position;
use quick_cache::sync::Cache;

/// Things by their keys, each with what says that it still holds: where the read models that it was
/// read from changed last (see [`crate::changed`]), unless it is something else. The least used go
/// when there are too many.
pub struct Remembered<K, V, T = Position>(Cache<K, (T, V)>);

impl<K: Hash + Eq + Clone, V: Clone, T: PartialEq + Clone> Remembered<K, V, T> {
    /// Nothing yet, and never more than so many things.
    pub fn at_most(things: usize) -> Self {
        Self(Cache::new(things))
    }

    /// What is remembered of a key, if it still holds.
    pub fn get(&self, key: &K, now: &T) -> Option<V> {
        let (then, value) = self.0.get(key)?;
        (then == *now).then_some(value)
    }

    /// Remembers what was read after `then` was true.
    pub fn put(&self, key: K, then: T, value: V) {
        self.0.insert(key, (then, value));
    }
}

impl<K, V, T> std::fmt::Debug for Remembered<K, V, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remembered").finish_non_exhaustive()
    }
}
