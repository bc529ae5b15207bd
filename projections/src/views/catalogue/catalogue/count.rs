//! Numbers of products of the catalogue.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use deadpool_postgres::Object;
use domain::{CategoryId, ProductId};
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use crate::{ReadError, words::SearchWords};

/// The number of products with the same categories and brand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Their categories, without those above them.
    pub categories: Vec<CategoryId>,
    /// The access path of their brand.
    pub brand: Option<Uuid>,
    /// Whether they are in stock.
    pub in_stock: bool,
    /// The number.
    pub products: i64,
}

/// Which products to count.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    /// Only products of this category and its subcategories.
    pub category: Option<Uuid>,
    /// Only products of this brand.
    pub brand: Option<Uuid>,
    /// Only products in stock.
    pub in_stock: bool,
    /// Products with these words, or with this code of the company.
    pub words: Option<(&'a SearchWords, &'a [Uuid])>,
    /// Whether only codes are searched.
    pub codes: bool,
}

impl Filter<'_> {
    /// The words as a query, and the products with this code of the company.
    fn sought(&self) -> (Option<String>, Option<&[Uuid]>) {
        let query = |words: &SearchWords| {
            words.code_query().filter(|_| self.codes).unwrap_or_else(|| words.query())
        };
        self.words.map(|(words, own)| (query(words), own)).unzip()
    }
}

/// The conditions of [`Filter`] without its words.
macro_rules! filtered {
    () => {
        " AND ($2::uuid IS NULL OR brand_id = $2) AND (NOT $3 OR in_stock)
        AND ($1::uuid IS NULL
            OR categories && ARRAY(SELECT id FROM view.catalogue_categories WHERE $1 = ANY(path)))"
    };
}

const COUNTS: &str = concat!(
    "SELECT categories, brand_id, in_stock, products FROM view.catalogue_counts
    WHERE products > 0",
    filtered!()
);
const MATCHES: &str = concat!(
    "SELECT categories, brand_id, in_stock, count(*) FROM view.catalogue
    WHERE status = 'published' AND (words @@ $4::text::tsquery OR id = ANY($5::uuid[]))",
    filtered!(),
    " GROUP BY categories, brand_id, in_stock"
);
/// The products that an assortment rule names individually.
const EXCEPTIONS: &str = concat!(
    "SELECT categories, brand_id, in_stock, 1::bigint, id FROM view.catalogue
    WHERE status = 'published'
        AND id IN (SELECT (selection ->> 'product')::uuid FROM view.assortments
            WHERE assortment_id = ANY($6::uuid[]) AND of_product)
        AND ($4::text IS NULL OR words @@ $4::text::tsquery OR id = ANY($5::uuid[]))",
    filtered!()
);
const BRANCHES: &str = "
    SELECT id, path, coalesce(title ->> 'name', '')
    FROM view.catalogue_categories LEFT JOIN view.categories USING (id)";
const PATHS: &str = "SELECT id, path FROM view.catalogue_categories WHERE id = ANY($1)";
const BRANDS: &str = "SELECT id, name FROM view.catalogue_brands WHERE id = ANY($1)";

/// Numbers of published products by categories, brand and stock.
pub async fn counts(client: &Object, filter: Filter<'_>) -> Result<Vec<Group>, ReadError> {
    let Filter { category, brand, in_stock, .. } = filter;
    let rows = match filter.sought() {
        (None, _) => {
            let statement = client.prepare_cached(COUNTS).await?;
            client.query(&statement, &[&category, &brand, &in_stock]).await?
        }
        (Some(query), own) => {
            let statement = client.prepare_cached(MATCHES).await?;
            client.query(&statement, &[&category, &brand, &in_stock, &query, &own]).await?
        }
    };
    Ok(rows.iter().map(group_of).collect())
}

/// The same for the products that some assortments have individual rules for, one by one.
pub async fn exceptions(
    client: &Object,
    filter: Filter<'_>,
    assortments: &[Uuid],
) -> Result<Vec<(ProductId, Group)>, ReadError> {
    let Filter { category, brand, in_stock, .. } = filter;
    let (query, own) = filter.sought();
    let statement = client.prepare_cached(EXCEPTIONS).await?;
    let parameters: [&(dyn ToSql + Sync); 6] =
        [&category, &brand, &in_stock, &query, &own, &assortments];
    let rows = client.query(&statement, &parameters).await?;
    Ok(rows.iter().map(|row| (ProductId(row.get(4)), group_of(row))).collect())
}

/// A category with its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// The category and those above it, nearest first.
    pub path: Vec<CategoryId>,
    /// Its Polish name.
    pub name: String,
}

/// Every category.
pub async fn branches(client: &Object) -> Result<BTreeMap<CategoryId, Branch>, ReadError> {
    let statement = client.prepare_cached(BRANCHES).await?;
    let rows = client.query(&statement, &[]).await?;
    let branch = |row: &Row| Branch { path: categories_of(row, 1), name: row.get(2) };
    Ok(rows.iter().map(|row| (CategoryId(row.get(0)), branch(row))).collect())
}

/// Some categories, each with those above it, itself first.
pub(super) async fn paths(
    client: &Object,
    of: Vec<Uuid>,
) -> Result<HashMap<Uuid, Option<Arc<[CategoryId]>>>, ReadError> {
    let statement = client.prepare_cached(PATHS).await?;
    let rows = client.query(&statement, &[&of]).await?;
    Ok(rows.iter().map(|row| (row.get(0), Some(categories_of(row, 1).into()))).collect())
}

/// The names of brands.
pub async fn brands(client: &Object, ids: &[Uuid]) -> Result<BTreeMap<Uuid, String>, ReadError> {
    let statement = client.prepare_cached(BRANDS).await?;
    let rows = client.query(&statement, &[&ids]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

fn group_of(row: &Row) -> Group {
    Group {
        categories: categories_of(row, 0),
        brand: row.get(1),
        in_stock: row.get(2),
        products: row.get(3),
    }
}

fn categories_of(row: &Row, column: usize) -> Vec<CategoryId> {
    row.get::<_, Vec<Uuid>>(column).into_iter().map(CategoryId).collect()
}
