//! The cache of the catalogue.

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

/// Cached products, pages, search results and category paths.
#[derive(Debug)]
pub struct Memory {
    /// Queries first read the versions of the rows, so a change of one product does not invalidate
    /// the cached lines of others.
    lines: Remembered<Uuid, Option<Arc<Line>>, Version>,
    pub(super) pages: Remembered<Page, Arc<[ProductVersion]>>,
    pub(super) searches: Remembered<(Sought, Part), Arc<[Match]>>,
    /// Search results that further pages are read from, by their day.
    pub(super) continued: Remembered<(Sought, Part, Position), Arc<[Match]>, ()>,
    pub(super) deep_searches: Remembered<(Sought, Part), Arc<[Match]>>,
    paths: Remembered<Uuid, Option<Arc<[CategoryId]>>>,
}

/// A page of some access paths.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Page {
    /// Any of these…
    pub(super) any: Vec<Uuid>,
    /// …and all of these.
    pub(super) also: Vec<Uuid>,
    pub(super) order: Order,
    pub(super) after: Place,
    pub(super) limit: i64,
}

/// The key of a cached product.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProductVersion {
    /// Its id.
    pub(super) id: Uuid,
    /// The version of its row.
    version: Version,
}

/// The version of a row: the transaction that wrote it and its location (`xmin`, `ctid`). No two
/// versions of rows have the same.
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
    /// The maximum number of cached products: about 2 KB each.
    const MOST_LINES: usize = 20_000;
    /// The maximum number of cached pages: about 2 KB each.
    const MOST_PAGES: usize = 20_000;
    /// The maximum number of cached searches: up to 50 KB each.
    const MOST_SEARCHES: usize = 2_000;
    /// The maximum number of search results for further pages; most of them are shared with the
    /// searches.
    const MOST_CONTINUED: usize = 500;
    /// The maximum number of deep searches ([`Sought::deep`]): up to 2.5 MB each.
    const MOST_DEEP_SEARCHES: usize = 20;
    const MOST_PATHS: usize = 20_000;

    /// Some products, in this order; those that are not cached are read.
    pub(super) async fn lines(
        &self,
        client: &Object,
        wanted: &[ProductVersion],
    ) -> Result<Vec<Arc<Line>>, ReadError> {
        let wanted: Vec<_> = wanted.iter().map(|one| (one.id, one.version)).collect();
        let lines = self.lines.all(&wanted, |missing| lines(client, missing)).await?;
        Ok(lines.into_iter().flatten().collect())
    }

    /// The existing ones of some categories, each with those above it, itself first; `changed` is
    /// the position of the last change of the catalogue.
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

/// A row of id and version.
pub(super) fn product_version(row: &Row) -> ProductVersion {
    let (Bytes(written_by), Bytes(at)) = (row.get(1), row.get(2));
    ProductVersion { id: row.get(0), version: Version { written_by, at } }
}

/// A system column in binary format.
struct Bytes<const N: usize>([u8; N]);

impl<'a, const N: usize> FromSql<'a> for Bytes<N> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw.try_into()?))
    }

    fn accepts(kind: &Type) -> bool {
        matches!((kind, N), (&Type::XID, 4) | (&Type::TID, 6))
    }
}
