//! Preparing, packing and dispatching a shipment.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::ShipmentId;
use service_kit::permissions::Dispatch;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        fulfilment::shipment::preparation::{self, DispatchPrepared, Pack, Prepare},
    },
    http::{Created, Done, Nothing, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/shipments/prepare",
            post_with(prepare, |o| {
                o.id("shipment.prepare")
                    .summary("Prepare a shipment of one or several orders of a company")
            }),
        )
        .api_route(
            "/v1/shipments/{id}/pack",
            post_with(pack, |o| o.id("shipment.pack").summary("Pack a prepared shipment")),
        )
        .api_route(
            "/v1/shipments/{id}/dispatch",
            post_with(dispatch, |o| {
                o.id("shipment.dispatch_prepared")
                    .summary("Dispatch a prepared shipment; each order is invoiced by itself")
            }),
        )
        .api_route(
            "/v1/shipments/{id}/cancel",
            post_with(cancel, |o| {
                o.id("shipment.cancel").summary("Cancel the preparation of a shipment")
            }),
        )
}

async fn prepare(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    Body { value, digest }: Body<Prepare>,
) -> Result<Created, Problem> {
    let outcome = preparation::prepare(&services, &caller, digest, value).await?;
    Ok(Created::within("/v1/shipments", outcome))
}

async fn pack(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    PathId(id): PathId,
    Body { value, digest }: Body<Pack>,
) -> Result<Done, Problem> {
    Ok(preparation::pack(&services, &caller, digest, ShipmentId(id), value).await?.into())
}

async fn dispatch(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    PathId(id): PathId,
    Body { value, digest }: Body<DispatchPrepared>,
) -> Result<Done, Problem> {
    Ok(preparation::dispatch(&services, &caller, digest, ShipmentId(id), value).await?.into())
}

async fn cancel(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(preparation::cancel(&services, &caller, digest, ShipmentId(id)).await?.into())
}
