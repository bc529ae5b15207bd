//! `/v1/shipments`: shipments.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::fulfilment::shipments::{Shipment, ShipmentSummary};
use service_kit::permissions::ReadTrade;
use service_kit::{
    input::{PathId, Query},
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::fulfilment::shipments::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/shipments",
            get_with(list, |o| {
                o.id("shipment.list").summary("List shipments without their lines, newest first")
            }),
        )
        .api_route(
            "/v1/shipments/{id}",
            get_with(show, |o| o.id("shipment.show").summary("Show a shipment")),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<ShipmentSummary>>, Problem> {
    shipments::list(&queries, &asker, asked).await.map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    PathId(id): PathId,
) -> Result<Json<Shipment>, Problem> {
    shipments::show(&queries, &asker, id).await.map(Json)
}
