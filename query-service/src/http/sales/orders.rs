//! `/v1/orders`: what was ordered, and what of it has left.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::{
    DocumentNumber,
    views::sales::orders::{self, Filter, Order, OrderSummary, Status},
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
    asker::{By, Trade, problem},
    http::{before, numbered, one_more, only},
};

const VIEWS: &[&str] = &[orders::PROJECTION.name];

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/orders",
            get_with(list, |o| {
                o.id("order.list").summary("Orders without their lines, newest first")
            }),
        )
        .api_route("/v1/orders/{id}", get_with(show, |o| o.id("order.show").summary("One order")))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// Those of this company.
    company: Option<Uuid>,
    /// Those with this status.
    status: Option<Status>,
    /// The one with this number.
    number: Option<DocumentNumber>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    Query(List { limit, cursor, company, status, number }): Query<List>,
) -> Result<Json<Page<OrderSummary>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let company = asker.narrowed(company)?;
    let client = asker.client(&queries, VIEWS).await?;
    let filter = Filter { company, status, ..Filter::default() };
    let items = orders::summaries(&client, &filter, before(number, cursor), one_more(limit))
        .await
        .map_err(problem)?;
    Ok(Json(numbered(items, limit, number, |item| (item.number, item.created))))
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    PathId(id): PathId,
) -> Result<Json<Order>, Problem> {
    let company = asker.company();
    let client = asker.client(&queries, VIEWS).await?;
    let filter = Filter { id: Some(id), company, ..Filter::default() };
    only(orders::list(&client, &filter, None, 1).await.map_err(problem)?)
}
