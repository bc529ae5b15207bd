//! Pages of the catalogue: products of some access paths, in order.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use deadpool_postgres::Object;
use domain::{CategoryId, Selection, pricing};
use event_log::Position;
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    CatalogueItem, item_of,
    memory::{self, Memory, Page, ProductVersion},
};
use crate::{ReadError, row::json};

/// The access paths of a query.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// Any of these…
    pub any: &'a [Uuid],
    /// …and all of these.
    pub also: &'a [Uuid],
}

/// The sort order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Order {
    /// By name, in Polish alphabetical order; see [`crate::words::sort_key`].
    Name,
    /// By SKU.
    Sku,
    /// The newest first.
    Newest,
}

/// The end of a page.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place(String, i64);

/// A product of a page.
#[derive(Debug, Clone)]
pub struct Line {
    /// The product, without its texts.
    pub item: CatalogueItem,
    /// Its categories, each with those above it, nearest first.
    pub paths: Vec<Vec<CategoryId>>,
    /// The selections to which it belongs; see [`pricing::selections`].
    pub selections: Vec<(Selection, usize)>,
    /// The sort key of its name.
    sort_name: String,
}

impl Line {
    /// The end of a page whose last product is this one.
    pub fn place(&self, order: Order) -> Place {
        let key = match order {
            Order::Name => self.sort_name.clone(),
            Order::Sku => self.item.description.sku.to_string(),
            Order::Newest => String::new(),
        };
        Place(key, self.item.created)
    }
}

impl Line {
    /// The same for search matches.
    pub(super) fn key(&self, order: Option<Order>) -> String {
        let Place(key, _) = self.place(order.unwrap_or(Order::Name));
        key
    }
}

impl Order {
    /// The start of the list.
    const fn start(self) -> Place {
        match self {
            Self::Name | Self::Sku => Place(String::new(), -1),
            Self::Newest => Place(String::new(), i64::MAX),
        }
    }

    /// The statement for this order.
    const fn of(self, statements: [&'static str; 3]) -> &'static str {
        match self {
            Self::Name => statements[0],
            Self::Sku => statements[1],
            Self::Newest => statements[2],
        }
    }

    /// The sort key of a product.
    fn sorted(self, key: String, created: i64) -> (String, i64) {
        match self {
            Self::Name | Self::Sku => (key, created),
            Self::Newest => (key, -created),
        }
    }

    pub(super) const fn matches(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Sku => "sku",
            Self::Newest => "newest",
        }
    }
}

/// A product without its texts.
macro_rules! line {
    () => {
        "product.id, product.sku, product.name, product.gtin, product.unit, product.vat_rate,
        product.status, product.base_prices, product.created, product.details, product.floors,
        product.sort_name, product.paths"
    };
}

/// See [`super::memory::Version`].
macro_rules! version {
    () => {
        "product.xmin, product.ctid"
    };
}
pub(super) use version;

/// The first products of an access path after a mark that are in all of some other paths too.
macro_rules! first {
    ($columns:literal, $key:literal, in $place:literal, after $after:literal, $direction:literal) => {
        concat!(
            "SELECT ",
            $key,
            " AS key, created, product_id",
            $columns,
            " FROM view.catalogue_places here WHERE place_id = ",
            $place,
            " AND published AND ",
            $after,
            " AND NOT EXISTS (
                SELECT FROM unnest($2::uuid[]) AS also (id) WHERE NOT EXISTS (
                    SELECT FROM view.catalogue_places other
                    WHERE other.product_id = here.product_id AND other.place_id = also.id))
            ORDER BY key, created ",
            $direction,
            " LIMIT $5"
        )
    };
}

/// A page of one access path.
macro_rules! page {
    ($key:literal, after $after:literal, $direction:literal) => {
        concat!(
            "SELECT product.id, ",
            version!(),
            " FROM (",
            first!("", $key, in "$1::uuid", after $after, $direction),
            ") AS found JOIN view.catalogue product ON product.id = found.product_id
            ORDER BY found.key, found.created ",
            $direction
        )
    };
}

/// The first products of each of some access paths.
macro_rules! firsts {
    ($key:literal, after $after:literal, $direction:literal) => {
        concat!(
            "SELECT found.* FROM unnest($1::uuid[]) AS place (id) CROSS JOIN LATERAL (",
            first!(", place_id", $key, in "place.id", after $after, $direction),
            ") AS found"
        )
    };
}

macro_rules! in_every_order {
    ($sql:ident) => {
        [
            $sql!("name", after "(name, created) > ($3::text, $4::bigint)", "ASC"),
            $sql!("sku", after "(sku, created) > ($3::text, $4::bigint)", "ASC"),
            $sql!("$3::text", after "created < $4::bigint", "DESC"),
        ]
    };
}

const PAGE: [&str; 3] = in_every_order!(page);
const FIRSTS: [&str; 3] = in_every_order!(firsts);
const VERSIONS: &str = concat!(
    "SELECT product.id, ",
    version!(),
    " FROM view.catalogue product WHERE id = ANY($1::uuid[])"
);
pub(super) const LINES: &str =
    concat!("SELECT ", line!(), " FROM view.catalogue product WHERE id = ANY($1::uuid[])");

/// Products of some access paths in order, after a mark, at most `limit`. Pages are cached;
/// `changed` is the position of the last change of the catalogue.
pub async fn page(
    (client, memory, changed): (&Object, &Memory, Position),
    Places { any, also }: Places<'_>,
    order: Order,
    after: Option<&Place>,
    limit: i64,
) -> Result<Vec<Arc<Line>>, ReadError> {
    let after = after.cloned().unwrap_or_else(|| order.start());
    let page = Page { any: any.to_vec(), also: also.to_vec(), order, after, limit };
    let wanted = memory.pages.or_read(&page, &changed, found(client, &page)).await?;
    memory.lines(client, &wanted).await
}

async fn found(client: &Object, page: &Page) -> Result<Arc<[ProductVersion]>, ReadError> {
    let [place] = page.any.as_slice() else {
        return versions(client, &merged(client, page).await?).await;
    };
    let Page { any: _, also, order, after: Place(key, created), limit } = page;
    let statement = client.prepare_cached(order.of(PAGE)).await?;
    let rows = client.query(&statement, &[place, also, key, created, limit]).await?;
    Ok(rows.iter().map(memory::product_version).collect())
}

/// A page of several access paths: reads the first products of each, until enough of them sort
/// before all unread ones.
async fn merged(client: &Object, page: &Page) -> Result<Vec<Uuid>, ReadError> {
    let Page { any: places, also, order, after: Place(key, created), limit } = page;
    let limit = *limit;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let statement = client.prepare_cached(order.of(FIRSTS)).await?;
    let mut each = 5 + 3 * limit / i64::try_from(places.len().max(1)).unwrap_or(i64::MAX);
    loop {
        each = each.min(limit);
        let rows = client.query(&statement, &[places, also, key, created, &each]).await?;
        let mut counts: HashMap<Uuid, (i64, (String, i64))> = HashMap::new();
        let mut found: BTreeMap<(String, i64), Uuid> = BTreeMap::new();
        for row in &rows {
            let sorted = order.sorted(row.get(0), row.get(1));
            let (number, last) = counts.entry(row.get(3)).or_default();
            (*number, *last) = (*number + 1, sorted.clone());
            found.insert(sorted, row.get(2));
        }
        // A path that returned as many rows as requested may have more after its last one.
        let silent = counts.into_values().filter(|(number, _)| *number == each);
        let horizon = silent.map(|(_, last)| last).min();
        let known = |sorted: &(String, i64)| horizon.as_ref().is_none_or(|last| sorted <= last);
        let known = found.into_iter().take_while(|(sorted, _)| known(sorted));
        let found: Vec<Uuid> = known.map(|(_, id)| id).take(wanted).collect();
        if found.len() == wanted || horizon.is_none() || each == limit {
            return Ok(found);
        }
        each *= 4;
    }
}

/// The versions of some products' rows, in this order.
async fn versions(client: &Object, ids: &[Uuid]) -> Result<Arc<[ProductVersion]>, ReadError> {
    let statement = client.prepare_cached(VERSIONS).await?;
    let rows = client.query(&statement, &[&ids]).await?;
    let mut found: HashMap<Uuid, ProductVersion> =
        rows.iter().map(|row| (row.get(0), memory::product_version(row))).collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

pub(super) fn line_of(row: &Row) -> Result<Line, ReadError> {
    let (item, paths) = (item_of(row)?, json::<Vec<Vec<CategoryId>>>(row, 12)?);
    let selections = pricing::selections(item.id, &paths);
    Ok(Line { item, paths, selections, sort_name: row.get(11) })
}
