//! What was read lately, remembered for as long as what it was read from stays as it was.

use std::{collections::HashMap, hash::Hash};

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

    /// What is remembered of a key, or what is read now that `now` is true.
    pub async fn or_read<E>(
        &self,
        key: &K,
        now: &T,
        read: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        if let Some(value) = self.get(key, now) {
            return Ok(value);
        }
        let value = read.await?;
        self.put(key.clone(), now.clone(), value.clone());
        Ok(value)
    }

    /// The same of many keys, each with what is true of it now, in their order. What is not remembered is
    /// read at once; what is not there then is nothing.
    pub async fn all<E, F>(
        &self,
        keys: &[(K, T)],
        read: impl FnOnce(Vec<K>) -> F,
    ) -> Result<Vec<V>, E>
    where
        V: Default,
        F: Future<Output = Result<HashMap<K, V>, E>>,
    {
        let found: Vec<Option<V>> = keys.iter().map(|(key, now)| self.get(key, now)).collect();
        let gaps = keys.iter().zip(&found).filter(|(_, value)| value.is_none());
        let missing: Vec<K> = gaps.map(|((key, _), _)| key.clone()).collect();
        let read = if missing.is_empty() { HashMap::new() } else { read(missing).await? };
        let filled = keys.iter().zip(found).map(|((key, now), value)| {
            value.unwrap_or_else(|| {
                let value = read.get(key).cloned().unwrap_or_default();
                self.put(key.clone(), now.clone(), value.clone());
                value
            })
        });
        Ok(filled.collect())
    }
}

impl<K, V, T> std::fmt::Debug for Remembered<K, V, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remembered").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_no_longer_holds_is_read_again() {
        let squares: Remembered<u64, u64, char> = Remembered::at_most(100);
        let all = async |keys: &[(u64, char)], expected: &[u64]| {
            let read = async |missing: Vec<u64>| {
                assert_eq!(missing, expected);
                Ok::<_, ()>(missing.iter().map(|key| (*key, key * key)).collect())
            };
            squares.all(keys, read).await.unwrap()
        };
        assert_eq!(all(&[(2, 'a'), (3, 'a')], &[2, 3]).await, [4, 9]);
        assert_eq!(
            all(&[(3, 'a'), (4, 'a'), (2, 'b'), (4, 'a')], &[4, 2, 4]).await,
            [9, 16, 4, 16]
        );
        assert_eq!((squares.get(&2, &'a'), squares.get(&2, &'b')), (None, Some(4)));
        let nothing = squares.all(&[(5, 'a')], async |_| Ok::<_, ()>(HashMap::new())).await;
        assert_eq!(nothing, Ok(vec![0]), "what is not there is remembered too");
        assert_eq!(squares.or_read(&5, &'a', async { Err(()) }).await, Ok(0));
        assert_eq!(squares.or_read(&5, &'b', async { Err(()) }).await, Err(()));
        assert_eq!(squares.or_read(&5, &'b', async { Ok::<_, ()>(25) }).await, Ok(25));
        assert_eq!(squares.get(&5, &'b'), Some(25));
    }
}
