//! `/v1/shipments`: what left, when and how.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::{
    DocumentNumber,
    views::fulfilment::shipments::{self, Filter, Shipment, ShipmentSummary},
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

const VIEWS: &[&str] = &[shipments::PROJECTION.name];

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/shipments",
            get_with(list, |o| {
                o.id("shipment.list").summary("Shipments without their lines, newest first")
            }),
        )
        .api_route(
            "/v1/shipments/{id}",
            get_with(show, |o| o.id("shipment.show").summary("One shipment")),
        )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// Those of this company.
    company: Option<Uuid>,
    /// Those of this order.
    order: Option<Uuid>,
    /// The one with this number.
    number: Option<DocumentNumber>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    Query(List { limit, cursor, company, order, number }): Query<List>,
) -> Result<Json<Page<ShipmentSummary>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let company = asker.narrowed(company)?;
    let client = asker.client(&queries, VIEWS).await?;
    let filter = Filter { company, order, ..Filter::default() };
    let items = shipments::summaries(&client, &filter, before(number, cursor), one_more(limit))
        .await
        .map_err(problem)?;
    Ok(Json(numbered(items, limit, number, |item| (item.number, item.created))))
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    PathId(id): PathId,
) -> Result<Json<Shipment>, Problem> {
    let company = asker.company();
    let client = asker.client(&queries, VIEWS).await?;
    let filter = Filter { id: Some(id), company, ..Filter::default() };
    only(shipments::list(&client, &filter, None, 1).await.map_err(problem)?)
}
