//! `/v1/shipments`: goods of orders are prepared, packed, dispatched and delivered.

mod delivery;
mod preparation;

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use service_kit::permissions::Dispatch;
use service_kit::{input::Body, problem::Problem};

use crate::{
    app::{
        Services,
        fulfilment::shipment::{self, DispatchRequest},
    },
    http::{Created, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/shipments",
            post_with(dispatch, |o| {
                o.id("shipment.dispatch")
                    .summary("Dispatch goods of an order; they are invoiced by itself")
            }),
        )
        .merge(preparation::routes())
        .merge(delivery::routes())
}

async fn dispatch(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    Body { value, digest }: Body<DispatchRequest>,
) -> Result<Created, Problem> {
    let outcome = shipment::dispatch(&services, &caller, digest, value).await?;
    Ok(Created::within("/v1/shipments", outcome))
}
