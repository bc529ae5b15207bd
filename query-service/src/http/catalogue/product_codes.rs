//! `/v1/companies/{id}/product-codes`: what a company calls products in its own books.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::catalogue::{
    catalogue,
    product_codes::{self, Code},
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
    asker::{By, Trade, problem},
    http::one_more,
};

const VIEWS: &[&str] = &[catalogue::PROJECTION.name, product_codes::PROJECTION.name];

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/companies/{id}/product-codes",
        get_with(list, |o| o.id("product_code.list").summary("List a company's own product codes")),
    )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    PathId(id): PathId,
    Query(List { limit, cursor }): Query<List>,
) -> Result<Json<Page<Code>>, Problem> {
    let company = asker.narrowed(Some(id))?.unwrap_or(id);
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let client = asker.client(&queries, VIEWS).await?;
    let items = product_codes::list(&client, company, cursor, one_more(limit)).await;
    Ok(Json(Page::of(items.map_err(problem)?, limit, |code| code.assigned)))
}
