//! `/v1/price-agreements`: price lists and contracts, and the prices in them.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use domain::AgreementId;
use projections::views::pricing::{
    price_agreements::{self, Agreement},
    prices::{self, Price},
};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{PathId, Query},
    page::{Page, PageRequest},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    asker::{By, Sales, problem},
    http::{one_more, only},
};

const VIEWS: &[&str] = &[price_agreements::PROJECTION.name, prices::PROJECTION.name];

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/price-agreements",
            get_with(list, |o| o.id("price_agreement.list").summary("Price lists and contracts")),
        )
        .api_route(
            "/v1/price-agreements/{id}",
            get_with(show, |o| o.id("price_agreement.show").summary("Show a price agreement")),
        )
        .api_route(
            "/v1/price-agreements/{id}/prices",
            get_with(list_prices, |o| {
                o.id("price.list").summary("List the prices of an agreement")
            }),
        )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// Only the contracts of this company itself.
    company: Option<Uuid>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    Query(List { limit, cursor, company }): Query<List>,
) -> Result<Json<Page<Agreement>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let client = asker.client(&queries, VIEWS).await?;
    let items = price_agreements::list(&client, None, company, cursor, one_more(limit)).await;
    Ok(Json(Page::of(items.map_err(problem)?, limit, |agreement| agreement.created)))
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    PathId(id): PathId,
) -> Result<Json<Agreement>, Problem> {
    let client = asker.client(&queries, VIEWS).await?;
    let found = price_agreements::list(&client, Some(id), None, None, 1).await;
    only(found.map_err(problem)?)
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListPrices {
    limit: Option<u16>,
    cursor: Option<String>,
}

async fn list_prices(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    PathId(id): PathId,
    Query(ListPrices { limit, cursor }): Query<ListPrices>,
) -> Result<Json<Page<Price>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let client = asker.client(&queries, VIEWS).await?;
    let items = prices::list(&client, AgreementId(id), cursor, one_more(limit)).await;
    Ok(Json(Page::of(items.map_err(problem)?, limit, |price| price.agreed)))
}
