//! Products as lists show them, remembered while their rows do not change.

use std::{collections::HashMap, sync::Arc};

use deadpool_postgres::Object;
use quick_cache::sync::Cache;
use tokio_postgres::Row;
use uuid::Uuid;

use super::find::{LINES, Line, line_of};
use crate::ReadError;

/// Lines that were read lately. Whoever asks has read which versions of their rows are there now, so
/// nobody is shown an old one.
pub struct Lines(Cache<Uuid, (Version, Arc<Line>)>);

/// Which version of a row it is: PostgreSQL's own name for it, the transaction that wrote it and the
/// place where it wrote it. No other version of any row has the same.
pub(super) type Version = String;

/// A product whose line is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Its id.
    pub(super) id: Uuid,
    /// The version of its row.
    pub(super) version: Version,
}

impl Default for Lines {
    fn default() -> Self {
        Self(Cache::new(Self::MOST))
    }
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Lines").field(&self.0.len()).finish()
    }
}

impl Lines {
    /// How many are remembered: some 2 KB each.
    pub const MOST: usize = 20_000;

    /// The lines of some products, in this order; those that are not remembered are read.
    pub(super) async fn of(
        &self,
        client: &Object,
        wanted: &[Wanted],
    ) -> Result<Vec<Arc<Line>>, ReadError> {
        let mut lines: HashMap<Uuid, Arc<Line>> = HashMap::with_capacity(wanted.len());
        let mut missing: Vec<Uuid> = Vec::new();
        for Wanted { id, version } in wanted {
            match self.0.get(id).filter(|(remembered, _)| remembered == version) {
                Some((_, line)) => {
                    lines.insert(*id, line);
                }
                None => missing.push(*id),
            }
        }
        if !missing.is_empty() {
            let statement = client.prepare_cached(LINES).await?;
            for row in client.query(&statement, &[&missing]).await? {
                let (id, line) = (row.get(0), Arc::new(line_of(&row)?));
                self.0.insert(id, (row.get(LINES_VERSION), Arc::clone(&line)));
                lines.insert(id, line);
            }
        }
        Ok(wanted.iter().filter_map(|one| lines.remove(&one.id)).collect())
    }
}

/// Where [`LINES`] says the version.
const LINES_VERSION: usize = 13;

/// A row of an id and a version.
pub(super) fn wanted(row: &Row) -> Wanted {
    Wanted { id: row.get(0), version: row.get(1) }
}
