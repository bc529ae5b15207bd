//! `/v1/products`: the catalogue.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::catalogue::{self, CatalogueItem, Filter};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{PathId, Query},
    page::{Page, PageRequest},
    problem::Problem,
};

use super::{one_more, only};
use crate::{
    Queries,
    asker::{By, Trade, problem},
};

const VIEWS: &[&str] = &[catalogue::PROJECTION.name];

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
    let filter = Filter {
        sku: sku.as_deref(),
        published_only: asker.company().is_some(),
        category,
        id: None,
    };
    let items =
        catalogue::list(&client, &filter, cursor, one_more(limit)).await.map_err(problem)?;
    Ok(Json(Page::of(items, limit, |item| item.created)))
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    PathId(id): PathId,
) -> Result<Json<CatalogueItem>, Problem> {
    let client = asker.client(&queries, VIEWS).await?;
    let filter =
        Filter { id: Some(id), published_only: asker.company().is_some(), ..Filter::default() };
    only(catalogue::list(&client, &filter, None, 1).await.map_err(problem)?)
}
