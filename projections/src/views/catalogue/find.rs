//! Finding products of the catalogue: a page of a place in order, or what some words mean.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use deadpool_postgres::Object;
use domain::CategoryId;
use serde::{Deserialize, Serialize};
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};
use uuid::Uuid;

use super::{
    CatalogueItem, item_of,
    lines::{self, Lines, Wanted},
};
use crate::{ReadError, row::json, words};

/// Which products are sought.
#[derive(Debug, Clone, Copy)]
pub struct Sought<'a> {
    /// In any of these places…
    pub places: &'a [Uuid],
    /// …and in each of these.
    pub also: &'a [Uuid],
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// By name, without regard to case and diacritics.
    Name,
    /// By the seller's code.
    Sku,
    /// The newest first.
    Newest,
}

/// Where a page ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place(String, i64);

/// A product that was found.
#[derive(Debug, Clone)]
pub struct Line {
    /// What is known of it, without its texts.
    pub item: CatalogueItem,
    /// Its categories, each with those above it, nearest first.
    pub paths: Vec<Vec<CategoryId>>,
    /// Its name as lists are sorted by it.
    sort_name: String,
}

impl Line {
    /// Where a page ends that ends with this.
    pub fn place(&self, order: Order) -> Place {
        let key = match order {
            Order::Name => self.sort_name.clone(),
            Order::Sku => self.item.description.sku.to_string(),
            Order::Newest => String::new(),
        };
        Place(key, self.item.created)
    }
}

impl Order {
    /// Before the first.
    const fn start(self) -> Place {
        match self {
            Self::Name | Self::Sku => Place(String::new(), -1),
            Self::Newest => Place(String::new(), i64::MAX),
        }
    }

    /// The statement for this order, of one for each.
    const fn of(self, statements: [&'static str; 3]) -> &'static str {
        match self {
            Self::Name => statements[0],
            Self::Sku => statements[1],
            Self::Newest => statements[2],
        }
    }

    /// What sorts a product whose key and position these are.
    fn sorted(self, key: String, created: i64) -> (String, i64) {
        match self {
            Self::Name | Self::Sku => (key, created),
            Self::Newest => (key, -created),
        }
    }

    const fn matches(self) -> &'static str {
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

/// See [`super::lines::Version`].
macro_rules! version {
    () => {
        "product.xmin::text || product.ctid::text"
    };
}

/// The first products of a place after a point, in all of some other places too.
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

/// A page of one place.
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

/// The first products of each of some places.
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
pub(super) const LINES: &str = concat!(
    "SELECT ",
    line!(),
    ", ",
    version!(),
    " FROM view.catalogue product WHERE id = ANY($1::uuid[])"
);

/// What words and filters ask of a product.
macro_rules! asked {
    () => {
        "(product.words @@ $1::text::tsquery OR product.id = ANY($3::uuid[]))
        AND ($4::uuid[] IS NULL OR product.categories && $4)
        AND ($7::uuid IS NULL OR product.brand_id = $7) AND (NOT $8::boolean OR product.in_stock)"
    };
}

/// The best matches first, or in another order.
macro_rules! ranked {
    () => {
        " ORDER BY
            CASE $9::text WHEN 'name' THEN sort_name WHEN 'sku' THEN sku END COLLATE \"C\",
            CASE $9::text WHEN 'newest' THEN -created END,
            CASE WHEN $9::text IS NULL THEN id = ANY($3) END DESC,
            -- A code first, then the name, then the rest.
            ts_rank('{0.01, 0.1, 0.3, 1}', words, $2::text::tsquery, 1) DESC,
            sort_name COLLATE \"C\", created
        OFFSET $10 "
    };
}

/// What some words mean. It is planned for each search by itself: how many products have its words,
/// and where, decides which index is read.
const SEARCH: &str = concat!(
    "SELECT ",
    line!(),
    " FROM (
        SELECT product.* FROM view.catalogue product
        WHERE product.status = 'published' AND ",
    asked!(),
    "       AND ($5::uuid[] IS NULL OR product.categories && $5
                OR cardinality($6::uuid[]) > 0 AND EXISTS (
                SELECT FROM view.catalogue_places here
                WHERE here.product_id = product.id AND here.place_id = ANY($6::uuid[])))
        LIMIT $12) AS product",
    ranked!(),
    "LIMIT $11"
);
/// The same within few products, one by one.
const SEARCH_PICKS: &str = concat!(
    "SELECT ",
    line!(),
    " FROM (
        SELECT DISTINCT product_id FROM view.catalogue_places
        WHERE place_id = ANY($6::uuid[]) AND published OFFSET 0) AS here
    JOIN view.catalogue product ON product.id = here.product_id
    WHERE $5::uuid[] IS NOT NULL AND ",
    asked!(),
    ranked!(),
    "LIMIT least($11, $12)"
);
const BELOW: &str = "
    SELECT coalesce(array_agg(id), '{}') FROM view.catalogue_categories WHERE path && $1::uuid[]";

/// The nearest words of the catalogue to some that begin none of it.
const CORRECT: &str = "
    SELECT typed, near.word FROM unnest($1::text[], $2::text[]) AS wanted (typed, stem)
    CROSS JOIN LATERAL (
        SELECT word FROM view.catalogue_words
        WHERE word OPERATOR(view.%) typed
        ORDER BY view.similarity(word, typed) DESC, word LIMIT 1) AS near
    WHERE NOT EXISTS (
        SELECT FROM view.catalogue_words WHERE word >= stem AND word < stem || '~')";

/// How many matches of words are put in order.
const MOST_MATCHES: i64 = 1_000;

/// Where words are searched.
#[derive(Debug, Clone, Default)]
pub struct Within {
    /// Only in this category or below it.
    pub category: Option<Uuid>,
    /// Only in these categories or below them, or in the places of `picks`; everywhere without it.
    pub allowed: Option<Vec<Uuid>>,
    /// Places of products that were picked one by one.
    pub picks: Vec<Uuid>,
    /// Only of this brand.
    pub brand: Option<Uuid>,
    /// Only what is there.
    pub in_stock: bool,
}

/// Products of some places in order, from after a point, at most `limit`.
pub async fn page(
    (client, lines): (&Object, &Lines),
    Sought { places, also }: Sought<'_>,
    order: Order,
    after: Option<&Place>,
    limit: i64,
) -> Result<Vec<Arc<Line>>, ReadError> {
    let start = order.start();
    let after = after.unwrap_or(&start);
    let wanted = match places {
        [place] => {
            let statement = client.prepare_cached(order.of(PAGE)).await?;
            let rows =
                client.query(&statement, &[place, &also, &after.0, &after.1, &limit]).await?;
            rows.iter().map(lines::wanted).collect()
        }
        _ => {
            let ids = merged(client, places, also, order, after, limit).await?;
            versions(client, &ids).await?
        }
    };
    lines.of(client, &wanted).await
}

/// A page of many places: the first products of each, until enough of them come before whatever a
/// place has not told yet.
async fn merged(
    client: &Object,
    places: &[Uuid],
    also: &[Uuid],
    order: Order,
    Place(key, created): &Place,
    limit: i64,
) -> Result<Vec<Uuid>, ReadError> {
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let statement = client.prepare_cached(order.of(FIRSTS)).await?;
    let mut each = 5 + 3 * limit / i64::try_from(places.len().max(1)).unwrap_or(i64::MAX);
    loop {
        each = each.min(limit);
        let rows = client.query(&statement, &[&places, &also, key, created, &each]).await?;
        let mut told: HashMap<Uuid, (i64, (String, i64))> = HashMap::new();
        let mut found: BTreeMap<(String, i64), Uuid> = BTreeMap::new();
        for row in &rows {
            let sorted = order.sorted(row.get(0), row.get(1));
            let (number, last) = told.entry(row.get(3)).or_default();
            (*number, *last) = (*number + 1, sorted.clone());
            found.insert(sorted, row.get(2));
        }
        // A place that told as many as it was asked may have more right behind its last.
        let silent = told.into_values().filter(|(number, _)| *number == each);
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
async fn versions(client: &Object, ids: &[Uuid]) -> Result<Vec<Wanted>, ReadError> {
    let statement = client.prepare_cached(VERSIONS).await?;
    let rows = client.query(&statement, &[&ids]).await?;
    let mut found: HashMap<Uuid, Wanted> =
        rows.iter().map(|row| (row.get(0), lines::wanted(row))).collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// Products that some words mean, and before them `own`, which a code of the company's means; at most
/// `limit` after as many as `skip`. Only the first thousand that the indexes find are put in order.
pub async fn search(
    client: &Object,
    (wanted, own): (&words::Wanted, &[Uuid]),
    within: &Within,
    order: Option<Order>,
    skip: i64,
    limit: i64,
) -> Result<Vec<Arc<Line>>, ReadError> {
    let category = match within.category {
        Some(category) => Some(below(client, &[category]).await?),
        None => None,
    };
    let allowed = match within.allowed.as_deref() {
        Some(allowed) => Some(below(client, allowed).await?),
        None => None,
    };
    let sql = match allowed.as_deref() {
        Some([]) => SEARCH_PICKS,
        Some(_) | None => SEARCH,
    };
    let order = order.map(Order::matches);
    let found = async |query: &str, skip: i64, limit: i64| {
        let parameters: [(&(dyn ToSql + Sync), Type); 12] = [
            (&query, Type::TEXT),
            (&wanted.rank(), Type::TEXT),
            (&own, Type::UUID_ARRAY),
            (&category, Type::UUID_ARRAY),
            (&allowed, Type::UUID_ARRAY),
            (&within.picks, Type::UUID_ARRAY),
            (&within.brand, Type::UUID),
            (&within.in_stock, Type::BOOL),
            (&order, Type::TEXT),
            (&skip, Type::INT8),
            (&limit, Type::INT8),
            (&MOST_MATCHES, Type::INT8),
        ];
        client.query_typed(sql, &parameters).await
    };
    // What looks like a code, and is one, means nothing else, on every page alike.
    let query = match wanted.code_query() {
        Some(code) if !found(&code, 0, 1).await?.is_empty() => code,
        Some(_) | None => wanted.query(),
    };
    let rows = found(&query, skip, limit).await?;
    rows.iter().map(|row| line_of(row).map(Arc::new)).collect()
}

/// Some categories and all below them.
async fn below(client: &Object, categories: &[Uuid]) -> Result<Vec<Uuid>, ReadError> {
    let row = client.query_typed(BELOW, &[(&categories, Type::UUID_ARRAY)]).await?;
    Ok(row.first().map(|row| row.get(0)).unwrap_or_default())
}

/// What mistyped words are likely to mean: each that no word of the catalogue begins with, and the
/// one that is nearest to it.
pub async fn corrections(
    client: &Object,
    wanted: &words::Wanted,
) -> Result<Vec<(String, String)>, ReadError> {
    let typed: Vec<&str> = wanted.words().iter().map(String::as_str).collect();
    let stems: Vec<&str> = typed.iter().map(|word| words::stem(word)).collect();
    let statement = client.prepare_cached(CORRECT).await?;
    let rows = client.query(&statement, &[&typed, &stems]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

pub(super) fn line_of(row: &Row) -> Result<Line, ReadError> {
    Ok(Line { item: item_of(row)?, sort_name: row.get(11), paths: json(row, 12)? })
}
