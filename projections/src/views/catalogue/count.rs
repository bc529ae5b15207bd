//! How many products of the catalogue stand where.

use std::collections::BTreeMap;

use deadpool_postgres::Object;
use domain::{CategoryId, ProductId};
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};
use uuid::Uuid;

use crate::{ReadError, words::Wanted};

/// Products that stand in the same categories and are of the same brand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The categories themselves, without those above them.
    pub categories: Vec<CategoryId>,
    /// The place of the brand.
    pub brand: Option<Uuid>,
    /// How many they are.
    pub products: i64,
}

const COUNTS: &str = "
    SELECT categories, brand_id, products FROM view.catalogue_counts
    WHERE products > 0 AND ($2::uuid IS NULL OR brand_id = $2)
        AND ($1::uuid IS NULL
            OR categories && ARRAY(SELECT id FROM view.catalogue_categories WHERE $1 = ANY(path)))";
const MATCHES: &str = "
    SELECT categories, brand_id, count(*) FROM view.catalogue
    WHERE status = 'published' AND words @@ $3::text::tsquery
        AND ($2::uuid IS NULL OR brand_id = $2)
        AND ($1::uuid IS NULL
            OR categories && ARRAY(SELECT id FROM view.catalogue_categories WHERE $1 = ANY(path)))
    GROUP BY categories, brand_id";
/// Those products by themselves that a rule of an assortment names.
const EXCEPTIONS: &str = "
    SELECT categories, brand_id, 1::bigint, id FROM view.catalogue
    WHERE status = 'published'
        AND id IN (SELECT (selection ->> 'product')::uuid FROM view.assortments
            WHERE assortment_id = ANY($4::uuid[]) AND of_product)
        AND ($3::text IS NULL OR words @@ $3::text::tsquery)
        AND ($2::uuid IS NULL OR brand_id = $2)
        AND ($1::uuid IS NULL
            OR categories && ARRAY(SELECT id FROM view.catalogue_categories WHERE $1 = ANY(path)))";
const BRANCHES: &str = "
    SELECT id, path, coalesce(title ->> 'name', '')
    FROM view.catalogue_categories LEFT JOIN view.categories USING (id)";
const PATHS: &str = "SELECT id, path FROM view.catalogue_categories WHERE id = ANY($1)";
const BRANDS: &str = "SELECT id, name FROM view.catalogue_brands WHERE id = ANY($1)";

/// Products for sale by categories and brand: those in or below a category, of a brand, that some
/// words mean.
pub async fn counts(
    client: &Object,
    category: Option<Uuid>,
    brand: Option<Uuid>,
    wanted: Option<&Wanted>,
) -> Result<Vec<Group>, ReadError> {
    let rows = match wanted.map(Wanted::query) {
        None => {
            let statement = client.prepare_cached(COUNTS).await?;
            client.query(&statement, &[&category, &brand]).await?
        }
        Some(query) => {
            let parameters: [(&(dyn ToSql + Sync), Type); 3] =
                [(&category, Type::UUID), (&brand, Type::UUID), (&query, Type::TEXT)];
            client.query_typed(MATCHES, &parameters).await?
        }
    };
    Ok(rows.iter().map(group_of).collect())
}

/// The same of those products alone that some assortments have rules on, one by one.
pub async fn exceptions(
    client: &Object,
    category: Option<Uuid>,
    brand: Option<Uuid>,
    wanted: Option<&Wanted>,
    assortments: &[Uuid],
) -> Result<Vec<(ProductId, Group)>, ReadError> {
    let query = wanted.map(Wanted::query);
    let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
        (&category, Type::UUID),
        (&brand, Type::UUID),
        (&query, Type::TEXT),
        (&assortments, Type::UUID_ARRAY),
    ];
    let rows = client.query_typed(EXCEPTIONS, &parameters).await?;
    Ok(rows.iter().map(|row| (ProductId(row.get(3)), group_of(row))).collect())
}

/// A category in its tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// It and those above it, nearest first.
    pub path: Vec<CategoryId>,
    /// What it is called in Polish.
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
pub async fn paths(
    client: &Object,
    of: &[Uuid],
) -> Result<BTreeMap<Uuid, Vec<CategoryId>>, ReadError> {
    let statement = client.prepare_cached(PATHS).await?;
    let rows = client.query(&statement, &[&of]).await?;
    Ok(rows.iter().map(|row| (row.get(0), categories_of(row, 1))).collect())
}

/// What brands are called.
pub async fn brands(client: &Object, ids: &[Uuid]) -> Result<BTreeMap<Uuid, String>, ReadError> {
    let statement = client.prepare_cached(BRANDS).await?;
    let rows = client.query(&statement, &[&ids]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

fn group_of(row: &Row) -> Group {
    Group { categories: categories_of(row, 0), brand: row.get(1), products: row.get(2) }
}

fn categories_of(row: &Row, column: usize) -> Vec<CategoryId> {
    row.get::<_, Vec<Uuid>>(column).into_iter().map(CategoryId).collect()
}
