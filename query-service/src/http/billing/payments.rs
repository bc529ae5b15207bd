//! `/v1/payments`: money that came in.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::{
    DocumentNumber,
    views::billing::payments::{self, Payment},
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
    asker::{By, Money, problem},
    http::{before, numbered, one_more, only},
};

const VIEWS: &[&str] = &[payments::PROJECTION.name];

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/payments",
            get_with(list, |o| o.id("payment.list").summary("Payments, newest first")),
        )
        .api_route(
            "/v1/payments/{id}",
            get_with(show, |o| o.id("payment.show").summary("One payment")),
        )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// Those of this company.
    company: Option<Uuid>,
    /// The one with this number.
    number: Option<DocumentNumber>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Money>,
    Query(List { limit, cursor, company, number }): Query<List>,
) -> Result<Json<Page<Payment>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let company = asker.narrowed(company)?;
    let client = asker.client(&queries, VIEWS).await?;
    let items = payments::list(&client, None, company, before(number, cursor), one_more(limit))
        .await
        .map_err(problem)?;
    Ok(Json(numbered(items, limit, number, |item| (item.number, item.created))))
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Money>,
    PathId(id): PathId,
) -> Result<Json<Payment>, Problem> {
    let client = asker.client(&queries, VIEWS).await?;
    only(payments::list(&client, Some(id), asker.company(), None, 1).await.map_err(problem)?)
}
