//! What some words mean in the catalogue.

use std::{collections::BTreeMap, sync::Arc};

use deadpool_postgres::Object;
use event_log::Position;
use tokio::sync::OnceCell;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::{
    find::{Line, Order, version},
    memory::{self, Memory, Wanted},
};
use crate::{ReadError, words};

/// What is searched.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sought {
    /// What was typed.
    pub words: words::Wanted,
    /// The products that a code of the company's means; they come first.
    pub own: Vec<Uuid>,
    /// Where.
    pub within: Within,
    /// In which order; the best matches first without one.
    pub order: Option<Order>,
    /// Whether many more matches are put in order than usually: most may be hidden from who asks.
    pub deep: bool,
}

/// Where words are searched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
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

/// In which part of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Part {
    /// Everywhere, and as the beginning of a code.
    Codes,
    /// Everywhere.
    Whole,
    /// Among every eighth product, which have an index of their own.
    Eighth,
    /// Among the others.
    Rest,
}

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
            sort_name COLLATE \"C\", created "
    };
}

/// What some words mean in a part. It is planned for each search by itself: how many products have its
/// words, and where, decides which index is read.
macro_rules! search {
    ($part:literal) => {
        concat!(
            "SELECT product.id, product.version_by, product.version_at FROM (
                SELECT product.id, sku, sort_name, created, words, product.xmin AS version_by,
                    product.ctid AS version_at
                FROM view.catalogue product
                WHERE product.status = 'published' AND ",
            $part,
            asked!(),
            "       AND ($5::uuid[] IS NULL OR product.categories && $5
                        OR cardinality($6::uuid[]) > 0 AND EXISTS (
                        SELECT FROM view.catalogue_places here
                        WHERE here.product_id = product.id AND here.place_id = ANY($6::uuid[])))
                LIMIT $10) AS product",
            ranked!()
        )
    };
}

const WHOLE: &str = search!("");
const EIGHTH: &str = search!("product.created % 8 = 0 AND ");
const REST: &str = search!("product.created % 8 <> 0 AND ");
/// The same within few products, one by one.
const PICKS: &str = concat!(
    "SELECT product.id, ",
    version!(),
    " FROM (
        SELECT DISTINCT product_id FROM view.catalogue_places
        WHERE place_id = ANY($6::uuid[]) AND published OFFSET 0) AS here
    JOIN view.catalogue product ON product.id = here.product_id
    WHERE $5::uuid[] IS NOT NULL AND ",
    asked!(),
    ranked!(),
    "LIMIT $10"
);
const BELOW: &str = "
    SELECT coalesce(array_agg(id), '{}') FROM view.catalogue_categories WHERE path && $1::uuid[]";

/// Words of the catalogue by what they begin with.
const BEGUN: &str = "
    SELECT stem, array(SELECT word FROM view.catalogue_words
        WHERE word >= stem AND word < stem || '~' ORDER BY word LIMIT $2)
    FROM unnest($1::text[]) AS of (stem)";
/// Two letters the other way round leave a quarter of the trigrams of a word of six.
const ALIKE: &str = "SET pg_trgm.similarity_threshold = 0.2";
/// Words of the catalogue that are alike to some that begin none of it.
const CORRECT: &str = "
    SELECT typed, near.word FROM unnest($1::text[], $2::text[]) AS wanted (typed, stem)
    CROSS JOIN LATERAL (
        SELECT word FROM view.catalogue_words
        WHERE word OPERATOR(view.%) typed AND word NOT LIKE '%*'
        ORDER BY view.similarity(word, typed) DESC, word LIMIT 20) AS near
    WHERE NOT EXISTS (
        SELECT FROM view.catalogue_words WHERE word >= stem AND word < stem || '~')";

/// How many matches of words are put in order.
pub const MOST_MATCHES: usize = 1_000;
/// The same when many of them may be hidden.
const MOST_IN_DEPTH: usize = 50_000;
/// When the eighth has so many, all together would be too many to put in order.
const ENOUGH: usize = 125;

/// Products that some words mean, at most `limit` after as many as `skip`.
///
/// Only so many are put in order as are found soon: of words that very many products have, first those
/// of every eighth product, then a thousand of the others. What was found is remembered; the catalogue
/// changed last at `changed`.
pub async fn search(
    (client, memory, changed): (&Object, &Memory, Position),
    sought: &Sought,
    skip: usize,
    limit: usize,
) -> Result<Vec<Arc<Line>>, ReadError> {
    let (query, bounds) = (OnceCell::new(), OnceCell::new());
    let search = Search { client, memory, changed, sought, query, bounds };
    memory.lines(client, &search.some(skip, limit).await?).await
}

/// A search, with what its parts have in common, read when the first of them is not remembered.
struct Search<'a> {
    client: &'a Object,
    memory: &'a Memory,
    changed: Position,
    sought: &'a Sought,
    /// Its words; none when one of them begins nothing.
    query: OnceCell<Option<String>>,
    bounds: OnceCell<Bounds>,
}

/// The categories that are asked for and those that are allowed, with all below them.
struct Bounds {
    category: Option<Vec<Uuid>>,
    allowed: Option<Vec<Uuid>>,
}

impl Search<'_> {
    async fn some(&self, skip: usize, limit: usize) -> Result<Vec<Wanted>, ReadError> {
        let page = |found: &[Wanted]| found.iter().skip(skip).take(limit).copied().collect();
        if self.sought.words.code_query().is_some() {
            // What looks like a code, and is one, means nothing else.
            let codes = self.found(Part::Codes).await?;
            if !codes.is_empty() {
                return Ok(page(&codes));
            }
        }
        // What the company calls so must not be missed, nor what is hidden behind others.
        let eighth = match self.sought.own.as_slice() {
            [] if !self.sought.deep => self.found(Part::Eighth).await?,
            _ => [].into(),
        };
        if eighth.len() < ENOUGH {
            return Ok(page(&self.found(Part::Whole).await?));
        }
        let mut some: Vec<Wanted> = page(&eighth);
        if some.len() < limit {
            let rest = self.found(Part::Rest).await?;
            let skip = skip.saturating_sub(eighth.len());
            some.extend(rest.iter().skip(skip).take(limit - some.len()));
        }
        Ok(some)
    }

    /// The matches in a part, in order.
    async fn found(&self, part: Part) -> Result<Arc<[Wanted]>, ReadError> {
        let Memory { searches, deep_searches, .. } = self.memory;
        let remembered = if self.sought.deep { deep_searches } else { searches };
        let key = (self.sought.clone(), part);
        remembered.or_read(&key, &self.changed, self.matches(part)).await
    }

    async fn matches(&self, part: Part) -> Result<Arc<[Wanted]>, ReadError> {
        let Sought { words, own, within, order, deep } = self.sought;
        let most = if *deep { MOST_IN_DEPTH } else { MOST_MATCHES };
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let query = match part {
            Part::Codes => words.code_query(),
            Part::Whole | Part::Eighth | Part::Rest => self.query().await?.clone(),
        };
        let query = match query {
            Some(query) => query,
            None if own.is_empty() => return Ok([].into()),
            // The company's own code can still mean something.
            None => String::new(),
        };
        let Bounds { category, allowed } = self.bounds().await?;
        let sql = match (allowed.as_deref(), part) {
            (Some([]), Part::Codes | Part::Whole) => PICKS,
            // They are not in parts.
            (Some([]), Part::Eighth | Part::Rest) => return Ok([].into()),
            (_, Part::Codes | Part::Whole) => WHOLE,
            (_, Part::Eighth) => EIGHTH,
            (_, Part::Rest) => REST,
        };
        let parameters: [(&(dyn ToSql + Sync), Type); 10] = [
            (&query, Type::TEXT),
            (&words.rank(), Type::TEXT),
            (own, Type::UUID_ARRAY),
            (category, Type::UUID_ARRAY),
            (allowed, Type::UUID_ARRAY),
            (&within.picks, Type::UUID_ARRAY),
            (&within.brand, Type::UUID),
            (&within.in_stock, Type::BOOL),
            (&order.map(Order::matches), Type::TEXT),
            (&most, Type::INT8),
        ];
        let rows = self.client.query_typed(sql, &parameters).await?;
        Ok(rows.iter().map(memory::wanted).collect())
    }

    async fn query(&self) -> Result<&Option<String>, ReadError> {
        self.query.get_or_try_init(|| spelled_out(self.client, &self.sought.words)).await
    }

    async fn bounds(&self) -> Result<&Bounds, ReadError> {
        let read = async || {
            let Within { category, allowed, .. } = &self.sought.within;
            let category = match category {
                Some(category) => Some(below(self.client, &[*category]).await?),
                None => None,
            };
            let allowed = match allowed {
                Some(allowed) => Some(below(self.client, allowed).await?),
                None => None,
            };
            Ok(Bounds { category, allowed })
        };
        self.bounds.get_or_try_init(read).await
    }
}

/// Words as a query in the words that there are; `None` when one begins nothing.
async fn spelled_out(client: &Object, words: &words::Wanted) -> Result<Option<String>, ReadError> {
    let most = i64::try_from(words::Wanted::MOST_SPELLED).unwrap_or(i64::MAX) + 1;
    let statement = client.prepare_cached(BEGUN).await?;
    let rows = client.query(&statement, &[&words.stems(), &most]).await?;
    let vocabulary = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    Ok(words.spelled_out(&vocabulary))
}

/// Some categories and all below them.
async fn below(client: &Object, categories: &[Uuid]) -> Result<Vec<Uuid>, ReadError> {
    let row = client.query_typed(BELOW, &[(&categories, Type::UUID_ARRAY)]).await?;
    Ok(row.first().map(|row| row.get(0)).unwrap_or_default())
}

/// What mistyped words are likely to mean: each that no word of the catalogue begins with, and the
/// one that is nearest to it. A code is not mistyped: it means another thing.
pub async fn corrections(
    client: &Object,
    wanted: &words::Wanted,
) -> Result<BTreeMap<String, String>, ReadError> {
    let mut typed = wanted.words();
    typed.retain(|word| !words::has_digit(word));
    if typed.is_empty() {
        return Ok(BTreeMap::new());
    }
    let stems: Vec<&str> = typed.iter().map(|word| words::stem(word)).collect();
    client.batch_execute(ALIKE).await?;
    let statement = client.prepare_cached(CORRECT).await?;
    let rows = client.query(&statement, &[&typed, &stems]).await?;
    let mut alike: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in &rows {
        alike.entry(row.get(0)).or_default().push(row.get(1));
    }
    let nearest = |(typed, alike): (&str, Vec<&str>)| {
        words::nearest(typed, alike).map(|near| (typed.to_owned(), near.to_owned()))
    };
    Ok(alike.into_iter().filter_map(nearest).collect())
}
