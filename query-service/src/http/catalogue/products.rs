//! `/v1/products`: the catalogue.

use std::collections::BTreeMap;

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use deadpool_postgres::Object;
use domain::AssortmentId;
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
use service_kit::{
    input::{PathId, Query},
    page::{Page, PageRequest},
    problem::Problem,
};

use crate::{
    Queries,
    asker::{Asker, By, Trade, problem},
    http::{one_more, only},
};

/// What a buyer sees depends on the tree of firms, that of categories, and who sees what.
const VIEWS: &[&str] = &[
    assortments::PROJECTION.name,
    catalogue::PROJECTION.name,
    categories::PROJECTION.name,
    companies::PROJECTION.name,
];

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/products",
            get_with(list, |o| {
                o.id("product.list").summary("The catalogue; a buyer sees what is for sale")
            }),
        )
        .api_route(
            "/v1/products/{id}",
            get_with(show, |o| o.id("product.show").summary("One product")),
        )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// The product's code.
    sku: Option<String>,
    /// The category in which it stands.
    category: Option<uuid::Uuid>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    Query(List { limit, cursor, sku, category }): Query<List>,
) -> Result<Json<Page<CatalogueItem>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let client = asker.client(&queries, VIEWS).await?;
    let filter = Filter { sku: sku.as_deref(), category, ..seen_by(&asker, &client).await? };
    let items =
        catalogue::list(&client, &filter, cursor, one_more(limit)).await.map_err(problem)?;
    let today = queries.clock.today();
    let items = shown(&client, &filter, items, today).await?;
    Ok(Json(Page::of(items, limit, |item| item.created)))
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    PathId(id): PathId,
) -> Result<Json<CatalogueItem>, Problem> {
    let client = asker.client(&queries, VIEWS).await?;
    let filter = Filter { id: Some(id), ..seen_by(&asker, &client).await? };
    let items = catalogue::list(&client, &filter, None, 1).await.map_err(problem)?;
    let today = queries.clock.today();
    only(shown(&client, &filter, items, today).await?)
}

/// What an asker is shown of products today. To a buyer, how low a price may go is the seller's own
/// affair, and what it does not see has no name.
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

/// A buyer sees what is for sale and in its company's assortment, the seller's people everything.
async fn seen_by(asker: &Asker, client: &Object) -> Result<Filter<'static>, Problem> {
    let Some(company) = asker.company() else { return Ok(Filter::default()) };
    let audiences = companies::audiences(client, company).await.map_err(problem)?;
    let audiences = audiences.iter().map(|audience| AssortmentId::of(audience).0).collect();
    Ok(Filter { published_only: true, audiences: Some(audiences), ..Filter::default() })
}
