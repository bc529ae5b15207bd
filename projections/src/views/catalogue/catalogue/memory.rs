//! What was read of the catalogue lately.

use std::{collections::HashMap, sync::Arc};

use deadpool_postgres::Object;
use domain::CategoryId;
use event_log::Position;
use tokio_postgres::{
    Row,
    types::{FromSql, Type},
};
use uuid::Uuid;

use super::{
    Order, Place, count,
    find::{LINES, Line, line_of},
    search::{Match, Part, Sought},
};
use crate::{ReadError, Remembered};

/// Products as lists show them, what pages and searches found, and the categories above others.
#[derive(Debug)]
pub struct Memory {
    /// Whoever asks has read which versions of their rows are there now: a change of the catalogue has
    /// other products' lines as they were.
    lines: Remembered<Uuid, Option<Arc<Line>>, Version>,
    pub(super) pages: Remembered<Page, Arc<[ProductVersion]>>,
    pub(super) searches: Remembered<(Sought, Part), Arc<[Match]>>,
    /// Lists that further pages are read from, by the day on which they were made.
    pub(super) continued: Remembered<(Sought, Part, Position), Arc<[Match]>, ()>,
    pub(super) deep_searches: Remembered<(Sought, Part), Arc<[Match]>>,
    paths: Remembered<Uuid, Option<Arc<[CategoryId]>>>,
}

/// A page of some places.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Page {
    /// In any of these…
    pub(super) any: Vec<Uuid>,
    /// …and in each of these.
    pub(super) also: Vec<Uuid>,
    pub(super) order: Order,
    pub(super) after: Place,
    pub(super) limit: i64,
}

/// A product whose line is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProductVersion {
    /// Its id.
    pub(super) id: Uuid,
    /// The version of its row.
    version: Version,
}

/// Which version of a row it is: PostgreSQL's own name for it, the transaction that wrote it and the
/// place where it wrote it. No other version of any row has the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version {
    written_by: [u8; 4],
    at: [u8; 6],
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            lines: Remembered::at_most(Self::MOST_LINES),
            pages: Remembered::at_most(Self::MOST_PAGES),
            searches: Remembered::at_most(Self::MOST_SEARCHES),
            continued: Remembered::at_most(Self::MOST_CONTINUED),
            deep_searches: Remembered::at_most(Self::MOST_DEEP_SEARCHES),
            paths: Remembered::at_most(Self::MOST_PATHS),
        }
    }
}

impl Memory {
    /// How many lines are remembered: some 2 KB each.
    const MOST_LINES: usize = 20_000;
    /// How many pages: some 2 KB each, too.
    const MOST_PAGES: usize = 20_000;
    /// How many searches: up to 50 KB each.
    const MOST_SEARCHES: usize = 2_000;
    /// How many lists for further pages; most of them are among the searches too.
    const MOST_CONTINUED: usize = 500;
    /// How many of those that are [`Sought::deep`]: up to 2.5 MB each.
    const MOST_DEEP_SEARCHES: usize = 20;
    const MOST_PATHS: usize = 20_000;

    /// The lines of some products, in this order; those that are not remembered are read.
    pub(super) async fn lines(
        &self,
        client: &Object,
        wanted: &[ProductVersion],
    ) -> Result<Vec<Arc<Line>>, ReadError> {
        let wanted: Vec<_> = wanted.iter().map(|one| (one.id, one.version)).collect();
        let lines = self.lines.all(&wanted, |missing| lines(client, missing)).await?;
        Ok(lines.into_iter().flatten().collect())
    }

    /// Those of some categories that there are, each with those above it, itself first; the catalogue
    /// changed last at `changed`.
    pub async fn paths(
        &self,
        client: &Object,
        changed: Position,
        of: &[Uuid],
    ) -> Result<HashMap<Uuid, Arc<[CategoryId]>>, ReadError> {
        let wanted: Vec<_> = of.iter().map(|id| (*id, changed)).collect();
        let paths = self.paths.all(&wanted, |missing| count::paths(client, missing)).await?;
        Ok(of.iter().zip(paths).filter_map(|(id, path)| Some((*id, path?))).collect())
    }
}

async fn lines(
    client: &Object,
    of: Vec<Uuid>,
) -> Result<HashMap<Uuid, Option<Arc<Line>>>, ReadError> {
    let statement = client.prepare_cached(LINES).await?;
    let rows = client.query(&statement, &[&of]).await?;
    rows.iter().map(|row| Ok((row.get(0), Some(Arc::new(line_of(row)?))))).collect()
}

/// A row of an id and a version.
pub(super) fn product_version(row: &Row) -> ProductVersion {
    let (Bytes(written_by), Bytes(at)) = (row.get(1), row.get(2));
    ProductVersion { id: row.get(0), version: Version { written_by, at } }
}

/// A system column as it is sent.
struct Bytes<const N: usize>([u8; N]);

impl<'a, const N: usize> FromSql<'a> for Bytes<N> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw.try_into()?))
    }

    fn accepts(kind: &Type) -> bool {
        matches!((kind, N), (&Type::XID, 4) | (&Type::TID, 6))
    }
}
