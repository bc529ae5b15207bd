//! Products: all for the seller, the published ones of its assortment for a buyer.

use std::collections::BTreeMap;

use deadpool_postgres::Object;
use domain::{AssortmentId, Sku};
use jiff::civil::Date;
use projections::views::{
    catalogue::{
        assortments,
        catalogue::{self, CatalogueItem, Filter},
        categories,
    },
    parties::companies,
};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::ReadTrade;
use service_kit::{
    page::{Listing, Page},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    app::{one_more, only, stored_form},
    asker::{Asker, problem},
};

/// The read models on which the visibility of products depends.
const VIEWS: &[&str] = &[
    assortments::PROJECTION.name,
    catalogue::PROJECTION.name,
    categories::PROJECTION.name,
    companies::PROJECTION.name,
];

/// Which products to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The SKU.
    pub sku: Option<String>,
    /// The category.
    pub category: Option<Uuid>,
}

/// Products in the order in which they were added.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { sku, category } }: Listing<List>,
) -> Result<Page<CatalogueItem>, Problem> {
    asker.require::<ReadTrade>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let client = asker.client(queries, VIEWS).await?;
    let sku = stored_form::<Sku>(sku);
    let filter = Filter { sku: sku.as_deref(), category, ..seen_by(asker, &client).await? };
    let items =
        catalogue::list(&client, &filter, cursor, one_more(limit)).await.map_err(problem)?;
    let today = queries.clock.today();
    let items = shown(&client, &filter, items, today).await?;
    Ok(Page::of(items, limit, |item| item.created))
}

/// One product.
pub async fn show(queries: &Queries, asker: &Asker, id: Uuid) -> Result<CatalogueItem, Problem> {
    asker.require::<ReadTrade>()?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { id: Some(id), ..seen_by(asker, &client).await? };
    let items = catalogue::list(&client, &filter, None, 1).await.map_err(problem)?;
    let today = queries.clock.today();
    only(shown(&client, &filter, items, today).await?)
}

/// A product as the asker may see it today. Floor prices, and links to products outside the
/// assortment, are removed for buyers.
async fn shown(
    client: &Object,
    filter: &Filter<'_>,
    items: Vec<CatalogueItem>,
    today: Date,
) -> Result<Vec<CatalogueItem>, Problem> {
    let mut items: Vec<CatalogueItem> = items
        .into_iter()
        .map(|item| CatalogueItem { description: item.described(today), ..item })
        .collect();
    if let Some(audiences) = &filter.audiences {
        let others = items.iter().flat_map(|item| item.details.others());
        let seen = catalogue::visible(client, others, audiences).await.map_err(problem)?;
        for item in &mut items {
            item.floors = BTreeMap::new();
            item.details = std::mem::take(&mut item.details).naming_only(&seen);
        }
    }
    Ok(items)
}

/// Whether the asker sees a product: a buyer only published ones of its company's assortment.
async fn seen_by(asker: &Asker, client: &Object) -> Result<Filter<'static>, Problem> {
    let Some(company) = asker.company() else { return Ok(Filter::default()) };
    let audiences = companies::audiences(client, company).await.map_err(problem)?;
    let audiences = audiences.iter().map(|audience| AssortmentId::of(audience).0).collect();
    Ok(Filter { published_only: true, audiences: Some(audiences), ..Filter::default() })
}
