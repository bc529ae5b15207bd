//! Numbers of products that a company sees, by category and brand.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::Object;
use domain::{CategoryId, Currency, ProductId, assortment};
use projections::{
    ReadError,
    views::catalogue::catalogue::{self, Branch, Group, count::Filter},
    words::sort_key,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::permissions::ReadTrade;
use service_kit::problem::Problem;
use uuid::Uuid;

use super::{context, search::corrected, words};
use crate::{
    Queries,
    asker::{Asker, problem},
    catalogue_context::CatalogueContext,
};

/// Which products to count.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// The company; a buyer's own company when not given.
    pub company: Option<Uuid>,
    /// The category; products of its subcategories are included.
    pub category: Option<Uuid>,
    /// The brand.
    pub brand: Option<String>,
    /// Only products in stock.
    #[serde(default)]
    pub in_stock: bool,
    /// Search words, as in the catalogue.
    pub q: Option<String>,
}

/// Numbers of products that a company sees.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "CatalogueCounts")]
pub struct Counts {
    /// The total.
    pub products: i64,
    /// The number of those in stock.
    pub in_stock: i64,
    /// By category including subcategories, sorted by name.
    pub categories: Vec<CategoryCount>,
    /// By brand, sorted by name.
    pub brands: Vec<BrandCount>,
    /// The words that were searched instead, because no product matches the given ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[allow(
    missing_docs,
    reason = "self-explanatory name; a comment would change the OpenAPI document"
)]
pub struct CategoryCount {
    /// The category.
    pub id: CategoryId,
    /// Its name.
    pub name: String,
    /// The number of products.
    pub products: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[allow(
    missing_docs,
    reason = "self-explanatory name; a comment would change the OpenAPI document"
)]
pub struct BrandCount {
    /// Its name.
    pub name: String,
    /// The number of products.
    pub products: i64,
}

/// Counts the products that a company sees, by category and brand.
pub async fn count(
    queries: &Queries,
    asker: &Asker,
    Count { company, category, brand, in_stock, q }: Count,
) -> Result<Counts, Problem> {
    asker.require::<ReadTrade>()?;
    let words = words(q.as_deref())?;
    let (reading, context) = context(queries, asker, company, Currency::Pln).await?;
    let brand = brand.map(|name| catalogue::brand(&name));
    let filter = Filter { category, brand, in_stock, words: None, codes: false };
    let client = &reading.client;
    let counter = Counter { client, context: &context };
    let Some(words) = words else { return counter.counts(filter).await.map_err(problem) };
    let own = context.means(client, &words.code()).await.map_err(problem)?;
    let asked = Filter { words: Some((&words, &own)), ..filter };
    if words.code_query().is_some() {
        // If the search matches codes, it is not treated as words.
        let counts = counter.counts(Filter { codes: true, ..asked }).await.map_err(problem)?;
        if counts.products > 0 {
            return Ok(counts);
        }
    }
    let counts = counter.counts(asked).await.map_err(problem)?;
    if counts.products > 0 {
        return Ok(counts);
    }
    match corrected(client, &words).await.map_err(problem)? {
        None => Ok(counts),
        Some(other) => {
            let asked = Filter { words: Some((&other, &[])), ..filter };
            let counts = counter.counts(asked).await.map_err(problem)?;
            // Words of products that the company does not see are not disclosed.
            let instead = (counts.products > 0).then(|| other.words().join(" "));
            Ok(Counts { instead, ..counts })
        }
    }
}

struct Counter<'a> {
    client: &'a Object,
    context: &'a CatalogueContext,
}

type Branches = BTreeMap<CategoryId, Branch>;

impl Counter<'_> {
    async fn counts(&self, filter: Filter<'_>) -> Result<Counts, ReadError> {
        let branches = catalogue::branches(self.client).await?;
        let mut groups = catalogue::counts(self.client, filter).await?;
        // A product without a rule of its own is visible like the others of its categories.
        let unnamed = ProductId(Uuid::nil());
        let plain = self.context.assortments();
        groups.retain(|group| assortment::sees(plain, unnamed, &paths(&branches, group)));
        groups.extend(self.differences(filter, &branches).await?);
        self.summed(&groups, &branches).await
    }

    /// Products with rules of their own: corrections to the counts by category.
    async fn differences(
        &self,
        filter: Filter<'_>,
        branches: &Branches,
    ) -> Result<Vec<Group>, ReadError> {
        let Self { client, context } = *self;
        if context.picky().is_empty() {
            return Ok(vec![]);
        }
        let named = catalogue::exceptions(client, filter, context.picky()).await?;
        let ids: Vec<ProductId> = named.iter().map(|(id, _)| *id).collect();
        let plain = context.assortments();
        let Some(whole) = context.with_rules_on(client, &ids).await? else { return Ok(vec![]) };
        let difference = |(id, group): (ProductId, Group)| {
            let paths = paths(branches, &group);
            let sees =
                |rules: &[domain::Assortment]| i64::from(assortment::sees(rules, id, &paths));
            let products = sees(whole.as_slice()) - sees(plain);
            Group { products, ..group }
        };
        Ok(named.into_iter().map(difference).collect())
    }

    async fn summed(&self, groups: &[Group], branches: &Branches) -> Result<Counts, ReadError> {
        let mut categories: BTreeMap<CategoryId, i64> = BTreeMap::new();
        let mut brands: BTreeMap<Uuid, i64> = BTreeMap::new();
        for group in groups {
            let standing: BTreeSet<CategoryId> =
                paths(branches, group).into_iter().flatten().copied().collect();
            for category in standing {
                *categories.entry(category).or_default() += group.products;
            }
            if let Some(brand) = group.brand {
                *brands.entry(brand).or_default() += group.products;
            }
        }
        categories.retain(|_, products| *products > 0);
        brands.retain(|_, products| *products > 0);
        let ids: Vec<Uuid> = brands.keys().copied().collect();
        let names = catalogue::brands(self.client, &ids).await?;
        let mut categories: Vec<CategoryCount> = categories
            .into_iter()
            .filter_map(|(id, products)| {
                Some(CategoryCount { id, name: branches.get(&id)?.name.clone(), products })
            })
            .collect();
        categories.sort_by_cached_key(|one| (sort_key(&one.name), one.id));
        let mut brands: Vec<BrandCount> = brands
            .into_iter()
            .filter_map(|(id, products)| {
                Some(BrandCount { name: names.get(&id)?.clone(), products })
            })
            .collect();
        brands.sort_by_cached_key(|one| (sort_key(&one.name), one.name.clone()));
        let products = groups.iter().map(|group| group.products).sum();
        let there = groups.iter().filter(|group| group.in_stock);
        let in_stock = there.map(|group| group.products).sum();
        Ok(Counts { products, in_stock, categories, brands, instead: None })
    }
}

/// The categories of a group of products, each with those above it.
fn paths<'a>(branches: &'a Branches, group: &Group) -> Vec<&'a [CategoryId]> {
    let path = |id| branches.get(id).map(|branch| branch.path.as_slice());
    group.categories.iter().filter_map(path).collect()
}
