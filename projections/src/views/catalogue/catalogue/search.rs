//! Word search in the catalogue.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use deadpool_postgres::Object;
use event_log::Position;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};
use uuid::Uuid;

use super::{
    find::{Line, Order, version},
    memory::{self, Memory, ProductVersion},
};
use crate::{ReadError, words};

/// A search.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sought {
    /// The search words.
    pub words: words::SearchWords,
    /// The products with this code of the company; they sort first.
    pub own: Vec<Uuid>,
    /// The bounds.
    pub within: Within,
    /// The order; `None`: by relevance.
    pub order: Option<Order>,
    /// Whether many more matches than usual are ranked, because most may be hidden from the asker.
    pub deep: bool,
}

/// The bounds of a search.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Within {
    /// Only this category and its subcategories.
    pub category: Option<Uuid>,
    /// Only these categories and their subcategories, or the paths in `picks`; everything if
    /// `None`.
    pub allowed: Option<Vec<Uuid>>,
    /// Access paths of individually allowed products.
    pub picks: Vec<Uuid>,
    /// Only this brand.
    pub brand: Option<Uuid>,
    /// Only products in stock.
    pub in_stock: bool,
}

/// The part of the catalogue to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Part {
    /// All products, also by prefix of their SKU.
    Codes,
    /// All products.
    Whole,
    /// Every eighth product; these have an index of their own.
    Eighth,
    /// The other products.
    Rest,
}

/// A search match with its sort key, except name and SKU.
#[derive(Debug, Clone, Copy)]
pub(super) struct Match {
    product: ProductVersion,
    rank: Rank,
    created: i64,
}

/// The part and the day in which a match was found.
type Matched = (Part, Position);

/// The score of a match; higher is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Rank {
    /// Whether it matches a code of the company.
    is_own: bool,
    /// The rank by PostgreSQL, in billionths.
    words: i64,
}

/// The position of a match in the list: the end of a page. The next page continues after it, even
/// if matches were added or removed in the meantime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The part of the list; earlier parts may be read first for matches of another day.
    part: Part,
    rank: Rank,
    key: String,
    created: i64,
    /// The day of the list.
    since: Position,
}

impl Mark {
    /// The order of marks in one list.
    fn compare(&self, other: &Self, order: Option<Order>) -> Ordering {
        let (ranks, keys) = (other.rank.cmp(&self.rank), self.key.cmp(&other.key));
        let age = self.created.cmp(&other.created);
        match order {
            None => ranks.then(keys).then(age),
            Some(Order::Name | Order::Sku) => keys.then(ranks).then(age),
            Some(Order::Newest) => age.reverse(),
        }
    }
}

/// The conditions on a product.
macro_rules! asked {
    () => {
        "(product.words @@ $1::text::tsquery OR product.id = ANY($3::uuid[]))
        AND ($4::uuid[] IS NULL OR product.categories && $4)
        AND ($7::uuid IS NULL OR product.brand_id = $7) AND (NOT $8::boolean OR product.in_stock)"
    };
}

/// The columns that a page needs.
macro_rules! matched {
    () => {
        ", product.created, $9::text IS NULL AND product.id = ANY($3::uuid[]) AS is_own,
        -- A code first, then the name, then the rest.
        (ts_rank('{0.01, 0.1, 0.3, 1}', product.words, $2::text::tsquery, 1) * 1e9)::bigint AS rank "
    };
}

/// By relevance, or in another order.
macro_rules! ranked {
    () => {
        " ORDER BY
            CASE $9::text WHEN 'name' THEN sort_name WHEN 'sku' THEN sku END COLLATE \"C\",
            CASE $9::text WHEN 'newest' THEN -product.created END,
            is_own DESC, rank DESC, sort_name COLLATE \"C\", product.created "
    };
}

/// The matches in a part. The statement is planned for each search, because the best index depends
/// on the words.
macro_rules! search {
    ($part:literal) => {
        concat!(
            "SELECT product.id, product.version_by, product.version_at",
            matched!(),
            "FROM (
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
/// The same among few products, given by id.
const PICKS: &str = concat!(
    "SELECT product.id, ",
    version!(),
    matched!(),
    "FROM (
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

/// Words of the catalogue by prefix.
const BEGUN: &str = "
    SELECT stem, array(SELECT word FROM view.catalogue_words
        WHERE word >= stem AND word < stem || '~' ORDER BY word LIMIT $2)
    FROM unnest($1::text[]) AS of (stem)";
/// Transposing two letters leaves a quarter of the trigrams of a word of six letters.
const ALIKE: &str = "SET pg_trgm.similarity_threshold = 0.2";
/// Words of the catalogue that are similar to words without a match.
const CORRECT: &str = "
    SELECT typed, near.word FROM unnest($1::text[], $2::text[]) AS wanted (typed, stem)
    CROSS JOIN LATERAL (
        SELECT word FROM view.catalogue_words
        WHERE word OPERATOR(view.%) typed AND word NOT LIKE '%*'
        ORDER BY view.similarity(word, typed) DESC, word LIMIT 20) AS near
    WHERE NOT EXISTS (
        SELECT FROM view.catalogue_words WHERE word >= stem AND word < stem || '~')";

/// The maximum number of matches that are ranked.
pub const MOST_MATCHES: usize = 1_000;
/// The same for a deep search, where many matches may be hidden.
const MOST_IN_DEPTH: usize = 50_000;
/// If the eighth has this many matches, ranking all of them would take too long.
const ENOUGH: usize = 125;

/// The published products among some.
const FOR_SALE: &str = concat!(
    "SELECT product.id, ",
    version!(),
    " FROM view.catalogue product WHERE id = ANY($1::uuid[]) AND status = 'published'"
);
/// The sort key of some products by name or SKU.
const KEYS: &str = "SELECT id, sort_name, sku FROM view.catalogue WHERE id = ANY($1::uuid[])";

/// Search matches after a mark, at most `limit`, each with its own mark. Only a bounded number of
/// matches is ranked: for frequent words, first those of every eighth product, then a thousand of
/// the others. Results are cached; `changed` is the position of the last change of the catalogue.
pub async fn search(
    (client, memory, changed): (&Object, &Memory, Position),
    sought: &Sought,
    after: Option<&Mark>,
    limit: usize,
) -> Result<Vec<(Arc<Line>, Mark)>, ReadError> {
    let (query, bounds) = (OnceCell::new(), OnceCell::new());
    let search = Search { client, memory, changed, sought, query, bounds };
    let found = search.some(after, limit).await?;
    search.marked(&found).await
}

/// A search with the values its parts share, read when the first part is not cached.
struct Search<'a> {
    client: &'a Object,
    memory: &'a Memory,
    changed: Position,
    sought: &'a Sought,
    /// Its words; `None` if one of them is not a prefix of any word.
    query: OnceCell<Option<String>>,
    bounds: OnceCell<Bounds>,
}

/// The requested and the allowed categories, with all their subcategories.
struct Bounds {
    category: Option<Vec<Uuid>>,
    allowed: Option<Vec<Uuid>>,
}

impl Search<'_> {
    async fn some(
        &self,
        after: Option<&Mark>,
        limit: usize,
    ) -> Result<Vec<(Matched, Match)>, ReadError> {
        let (first, since) = match after {
            Some(mark) => (mark.part, mark.since),
            None => (self.first_part().await?, self.changed),
        };
        let mut some = self.behind(first, since, after, limit).await?;
        if first == Part::Eighth && some.len() < limit {
            some.extend(self.behind(Part::Rest, since, None, limit - some.len()).await?);
        }
        Ok(some)
    }

    /// The part with which the first page begins.
    async fn first_part(&self) -> Result<Part, ReadError> {
        // If the search matches codes, it is not treated as words.
        let is_code = self.sought.words.code_query().is_some();
        if is_code && !self.found(Part::Codes).await?.is_empty() {
            return Ok(Part::Codes);
        }
        // Products with the company's code must not be missed, nor those behind hidden ones.
        if self.sought.deep || !self.sought.own.is_empty() {
            return Ok(Part::Whole);
        }
        let many = self.found(Part::Eighth).await?.len() >= ENOUGH;
        Ok(if many { Part::Eighth } else { Part::Whole })
    }

    /// The first matches in a part after a mark. Pages of one search are read from one cached list,
    /// so rank changes in the meantime neither omit nor repeat products.
    async fn behind(
        &self,
        part: Part,
        since: Position,
        after: Option<&Mark>,
        limit: usize,
    ) -> Result<Vec<(Matched, Match)>, ReadError> {
        let continued = &self.memory.continued;
        let page_of = |since: Position, some: &[Match]| {
            some.iter().take(limit).map(|one| ((part, since), *one)).collect()
        };
        let place = |list: &[Match]| match after {
            Some(mark) => Some(list.iter().position(|one| one.created == mark.created)? + 1),
            None => Some(0),
        };
        if since != self.changed
            && let Some(list) = continued.get(&(self.sought.clone(), part, since), &())
            && let Some(place) = place(&list)
        {
            return Ok(page_of(since, &self.still_there(&list[place..]).await?));
        }
        let list = self.found(part).await?;
        if !self.sought.deep {
            continued.put((self.sought.clone(), part, self.changed), (), Arc::clone(&list));
        }
        let place = match after {
            Some(mark) => self.place_behind(part, &list, mark).await?,
            None => 0,
        };
        Ok(page_of(self.changed, &list[place..]))
    }

    /// The published products among the matches of a list of another day, as they are now.
    async fn still_there(&self, list: &[Match]) -> Result<Vec<Match>, ReadError> {
        let ids: Vec<Uuid> = list.iter().map(|one| one.product.id).collect();
        let rows = self.client.query_typed(FOR_SALE, &[(&ids, Type::UUID_ARRAY)]).await?;
        let now: HashMap<Uuid, ProductVersion> =
            rows.iter().map(|row| (row.get(0), memory::product_version(row))).collect();
        let still = |one: &Match| Some(Match { product: *now.get(&one.product.id)?, ..*one });
        Ok(list.iter().filter_map(still).collect())
    }

    /// The number of matches up to a mark. Usually the product of the mark is still in the list;
    /// otherwise the sort keys of all are read, since they are not cached.
    async fn place_behind(
        &self,
        part: Part,
        found: &[Match],
        mark: &Mark,
    ) -> Result<usize, ReadError> {
        let (order, since) = (self.sought.order, self.changed);
        if let Some(place) = found.iter().position(|one| one.created == mark.created) {
            let same = self.marked(&[((part, since), found[place])]).await?;
            if same.iter().any(|(_, now)| now.compare(mark, order).is_eq()) {
                return Ok(place + 1);
            }
        }
        let ids: Vec<Uuid> = found.iter().map(|one| one.product.id).collect();
        let rows = self.client.query_typed(KEYS, &[(&ids, Type::UUID_ARRAY)]).await?;
        let column = if order == Some(Order::Sku) { 2 } else { 1 };
        let keys: HashMap<Uuid, String> =
            rows.iter().map(|row| (row.get(0), row.get(column))).collect();
        let is_behind = |one: &Match| {
            let key = match order {
                Some(Order::Newest) => String::new(),
                _ => keys.get(&one.product.id).cloned().unwrap_or_default(),
            };
            let Match { rank, created, .. } = *one;
            Mark { part, rank, key, created, since }.compare(mark, order).is_gt()
        };
        Ok(found.iter().position(is_behind).unwrap_or(found.len()))
    }

    /// The products of matches, each with its mark.
    async fn marked(
        &self,
        found: &[(Matched, Match)],
    ) -> Result<Vec<(Arc<Line>, Mark)>, ReadError> {
        let wanted: Vec<ProductVersion> = found.iter().map(|(_, one)| one.product).collect();
        let lines = self.memory.lines(self.client, &wanted).await?;
        let mut of: HashMap<Uuid, &(Matched, Match)> =
            found.iter().map(|one| (one.1.product.id, one)).collect();
        let marked = lines.into_iter().filter_map(|line| {
            let ((part, since), Match { rank, created, .. }) = *of.remove(&line.item.id.0)?;
            let key = line.key(self.sought.order);
            Some((line, Mark { part, rank, key, created, since }))
        });
        Ok(marked.collect())
    }

    /// The matches in a part, in order.
    async fn found(&self, part: Part) -> Result<Arc<[Match]>, ReadError> {
        let Memory { searches, deep_searches, .. } = self.memory;
        let remembered = if self.sought.deep { deep_searches } else { searches };
        let key = (self.sought.clone(), part);
        remembered.or_read(&key, &self.changed, self.matches(part)).await
    }

    async fn matches(&self, part: Part) -> Result<Arc<[Match]>, ReadError> {
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
            // The company's own code can still match.
            None => String::new(),
        };
        let Bounds { category, allowed } = self.bounds().await?;
        let sql = match (allowed.as_deref(), part) {
            (Some([]), Part::Codes | Part::Whole) => PICKS,
            // Such a search has no parts.
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
        let matched = |row: &Row| Match {
            product: memory::product_version(row),
            rank: Rank { is_own: row.get(4), words: row.get(5) },
            created: row.get(3),
        };
        Ok(rows.iter().map(matched).collect())
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

/// The query with existing words; `None` if one is not a prefix of any word.
async fn spelled_out(
    client: &Object,
    words: &words::SearchWords,
) -> Result<Option<String>, ReadError> {
    let most = i64::try_from(words::SearchWords::MOST_SPELLED).unwrap_or(i64::MAX) + 1;
    let statement = client.prepare_cached(BEGUN).await?;
    let rows = client.query(&statement, &[&words.stems(), &most]).await?;
    let vocabulary = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    Ok(words.spelled_out(&vocabulary))
}

/// Categories with their descendants.
async fn below(client: &Object, categories: &[Uuid]) -> Result<Vec<Uuid>, ReadError> {
    let row = client.query_typed(BELOW, &[(&categories, Type::UUID_ARRAY)]).await?;
    Ok(row.first().map(|row| row.get(0)).unwrap_or_default())
}

/// Corrections of mistyped words: each word without a match in the catalogue, and the most similar
/// one. Codes are not corrected.
pub async fn corrections(
    client: &Object,
    words: &words::SearchWords,
) -> Result<BTreeMap<String, String>, ReadError> {
    let mut typed = words.words();
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
