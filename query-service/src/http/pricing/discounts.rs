//! `/v1/discounts`: what companies earn by what they buy.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::pricing::discounts::{self, Discount};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::Query,
    page::{Page, PageRequest},
    problem::Problem,
};

use crate::{
    Queries,
    asker::{By, Sales, problem},
    http::one_more,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/discounts",
        get_with(list, |o| {
            o.id("discount.list")
                .summary("List discount programmes for turnover and frequent orders")
        }),
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
    By { who: asker, .. }: By<Sales>,
    Query(List { limit, cursor }): Query<List>,
) -> Result<Json<Page<Discount>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let client = asker.client(&queries, &[discounts::PROJECTION.name]).await?;
    let items = discounts::list(&client, cursor, one_more(limit)).await.map_err(problem)?;
    Ok(Json(Page::of(items, limit, |discount| discount.offered)))
}
