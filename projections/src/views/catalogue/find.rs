//! Finding products of the catalogue: a page of a place in order, or what some words mean.

use deadpool_postgres::Object;
use domain::CategoryId;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use super::{CatalogueItem, EVERYTHING, item_of};
use crate::{ReadError, row::json, words::Wanted};

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

    const fn page(self) -> &'static str {
        match self {
            Self::Name => BY_NAME,
            Self::Sku => BY_SKU,
            Self::Newest => BY_AGE,
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

/// A product without its texts, with the paths of its categories.
macro_rules! line {
    () => {
        "product.id, product.sku, product.name, product.gtin, product.unit, product.vat_rate,
        product.status, product.base_prices, product.created, product.details - 'texts',
        product.sort_name, coalesce((
            -- One look into the index for each, whatever the planner thinks of their number.
            SELECT jsonb_agg((SELECT path FROM view.catalogue_categories WHERE id = own.id))
            FROM unnest(product.categories) AS own (id)), '[]')"
    };
}

/// The first products of some places after a point. Each place gives its own first ones.
macro_rules! page {
    ($key:literal, after $after:literal, $direction:literal) => {
        concat!(
            "SELECT ",
            line!(),
            " FROM (
                SELECT DISTINCT key, created, product_id
                FROM unnest($1::uuid[]) AS place (id) CROSS JOIN LATERAL (
                    SELECT ",
            $key,
            " AS key, created, product_id FROM view.catalogue_places here
                    WHERE place_id = place.id AND published AND ",
            $after,
            " AND NOT EXISTS (
                        SELECT FROM unnest($2::uuid[]) AS also (id) WHERE NOT EXISTS (
                            SELECT FROM view.catalogue_places other
                            WHERE other.product_id = here.product_id AND other.place_id = also.id))
                    ORDER BY key, created ",
            $direction,
            " LIMIT $5) AS found
                ORDER BY key, created ",
            $direction,
            " LIMIT $5) AS found
            JOIN view.catalogue product ON product.id = found.product_id
            ORDER BY found.key, found.created ",
            $direction
        )
    };
}

const BY_NAME: &str = page!("name", after "(name, created) > ($3::text, $4::bigint)", "ASC");
const BY_SKU: &str = page!("sku", after "(sku, created) > ($3::text, $4::bigint)", "ASC");
const BY_AGE: &str = page!("$3::text", after "created < $4::bigint", "DESC");

/// What some words mean: the best matches first, or in another order.
macro_rules! search {
    (from $from:literal, where $where:literal) => {
        concat!(
            "SELECT ",
            line!(),
            " FROM (
                SELECT product.* FROM ",
            $from,
            " WHERE product.status = 'published'
                    AND (product.words @@ $1::text::tsquery OR product.id = ANY($9::uuid[]))
                    AND NOT EXISTS (
                        SELECT FROM unnest($4::uuid[]) AS also (id) WHERE NOT EXISTS (
                            SELECT FROM view.catalogue_places other
                            WHERE other.product_id = product.id AND other.place_id = also.id)) AND ",
            $where,
            " LIMIT $8) AS product
            ORDER BY
                CASE $5::text WHEN 'name' THEN sort_name WHEN 'sku' THEN sku END COLLATE \"C\",
                CASE $5::text WHEN 'newest' THEN -created END,
                CASE WHEN $5::text IS NULL THEN id = ANY($9) END DESC,
                -- A code first, then the name, then the rest.
                ts_rank('{0.01, 0.1, 0.3, 1}', words, $2::text::tsquery, 1) DESC,
                sort_name COLLATE \"C\", created
            OFFSET $6 LIMIT $7"
        )
    };
}

/// Everywhere, from the words on.
const SEARCH: &str = search!(from "view.catalogue product", where "$3::uuid[] IS NULL");
/// In some places, from the words on.
const SEARCH_WITHIN: &str = search!(
    from "view.catalogue product",
    where "EXISTS (
        SELECT FROM view.catalogue_places here
        WHERE here.product_id = product.id AND here.place_id = ANY($3::uuid[]))"
);
/// In some places that hold little, from there on.
const SEARCH_FROM: &str = search!(
    from "(
            SELECT DISTINCT product_id FROM view.catalogue_places
            WHERE place_id = ANY($3::uuid[]) AND published OFFSET 0) AS here
        JOIN view.catalogue product ON product.id = here.product_id",
    where "true"
);
const SIZE: &str = "
    SELECT count(*) FROM (
        SELECT FROM view.catalogue_places WHERE place_id = ANY($1) AND published LIMIT $2) AS counted";

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
/// How many products places hold that are looked through for words one by one.
const FEW: i64 = 2_000;

/// Products of some places in order, from after a point, at most `limit`.
pub async fn page(
    client: &Object,
    Sought { places, also }: Sought<'_>,
    order: Order,
    after: Option<&Place>,
    limit: i64,
) -> Result<Vec<Line>, ReadError> {
    let start = order.start();
    let Place(key, created) = after.unwrap_or(&start);
    let statement = client.prepare_cached(order.page()).await?;
    let rows = client.query(&statement, &[&places, &also, key, created, &limit]).await?;
    rows.iter().map(line_of).collect()
}

/// Products that some words mean, and before them `own`, which a code of the company's means; at most
/// `limit` after as many as `skip`. Only the first thousand that the indexes find are put in order.
pub async fn search(
    client: &Object,
    (wanted, own): (&Wanted, &[Uuid]),
    Sought { places, also }: Sought<'_>,
    order: Option<Order>,
    skip: i64,
    limit: i64,
) -> Result<Vec<Line>, ReadError> {
    let everywhere = places == [EVERYTHING];
    let sql = if everywhere {
        SEARCH
    } else if size(client, places).await? < FEW {
        SEARCH_FROM
    } else {
        SEARCH_WITHIN
    };
    let places = (!everywhere).then_some(places);
    let (query, rank, order) = (wanted.query(), wanted.rank(), order.map(Order::matches));
    let statement = client.prepare_cached(sql).await?;
    let parameters: [&(dyn ToSql + Sync); 9] =
        [&query, &rank, &places, &also, &order, &skip, &limit, &MOST_MATCHES, &own];
    let rows = client.query(&statement, &parameters).await?;
    rows.iter().map(line_of).collect()
}

/// How many products some places hold, as far as it matters.
async fn size(client: &Object, places: &[Uuid]) -> Result<i64, ReadError> {
    let statement = client.prepare_cached(SIZE).await?;
    Ok(client.query_one(&statement, &[&places, &FEW]).await?.get(0))
}

/// What mistyped words are likely to mean: each that no word of the catalogue begins with, and the
/// one that is nearest to it.
pub async fn corrections(
    client: &Object,
    wanted: &Wanted,
) -> Result<Vec<(String, String)>, ReadError> {
    let typed: Vec<&str> = wanted.words().iter().map(String::as_str).collect();
    let stems: Vec<&str> = typed.iter().map(|word| crate::words::stem(word)).collect();
    let statement = client.prepare_cached(CORRECT).await?;
    let rows = client.query(&statement, &[&typed, &stems]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

fn line_of(row: &Row) -> Result<Line, ReadError> {
    Ok(Line { item: item_of(row)?, sort_name: row.get(10), paths: json(row, 11)? })
}
