//! `/v1/stock`: how much there is of what.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::{
    catalogue::catalogue,
    inventory::stock::{self, StockOf},
};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::Query,
    page::{Page, PageRequest},
    problem::Problem,
};

use crate::{
    Queries,
    asker::{By, Goods, problem},
    http::one_more,
};

const VIEWS: &[&str] = &[catalogue::PROJECTION.name, stock::PROJECTION.name];

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/stock",
        get_with(list, |o| o.id("stock.list").summary("List stock levels as last reported")),
    )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// Only of the product with this code.
    sku: Option<String>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Goods>,
    Query(List { limit, cursor, sku }): Query<List>,
) -> Result<Json<Page<StockOf>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let client = asker.client(&queries, VIEWS).await?;
    let items = stock::list(&client, sku.as_deref(), cursor, one_more(limit)).await;
    Ok(Json(Page::of(items.map_err(problem)?, limit, |stock| stock.reported)))
}
