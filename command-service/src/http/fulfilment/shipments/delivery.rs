//! What becomes of a shipment after its dispatch.

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
        fulfilment::shipment::delivery::{self, Deliver, FailDelivery, ReturnToSender},
    },
    http::{Done, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/shipments/{id}/deliver",
            post_with(deliver, |o| {
                o.id("shipment.deliver").summary("Record a delivery with its proof")
            }),
        )
        .api_route(
            "/v1/shipments/{id}/fail",
            post_with(fail, |o| {
                o.id("shipment.fail").summary("Record a failed delivery; it may be tried again")
            }),
        )
        .api_route(
            "/v1/shipments/{id}/return-to-sender",
            post_with(return_to_sender, |o| {
                o.id("shipment.return_to_sender")
                    .summary("Record that a shipment came back undelivered")
            }),
        )
}

async fn deliver(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    PathId(id): PathId,
    Body { value, digest }: Body<Deliver>,
) -> Result<Done, Problem> {
    Ok(delivery::deliver(&services, &caller, digest, ShipmentId(id), value).await?.into())
}

async fn fail(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    PathId(id): PathId,
    Body { value, digest }: Body<FailDelivery>,
) -> Result<Done, Problem> {
    Ok(delivery::fail(&services, &caller, digest, ShipmentId(id), value).await?.into())
}

async fn return_to_sender(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    PathId(id): PathId,
    Body { value, digest }: Body<ReturnToSender>,
) -> Result<Done, Problem> {
    Ok(delivery::return_to_sender(&services, &caller, digest, ShipmentId(id), value).await?.into())
}
