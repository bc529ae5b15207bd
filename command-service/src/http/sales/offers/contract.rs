//! Creates a price agreement (contract) from the agreed prices of an offer.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::OfferId;
use service_kit::permissions::Pricing;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        sales::offer::contract::{self, Contract},
    },
    http::{Created, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new().api_route(
        "/v1/offers/{id}/contract",
        post_with(contract, |o| {
            o.id("offer.contract").summary("Create a contract with the agreed prices of an offer")
        }),
    )
}

async fn contract(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Contract>,
) -> Result<Created, Problem> {
    let outcome = contract::contract(&services, &caller, digest, OfferId(id), value).await?;
    Ok(Created::within("/v1/price-agreements", outcome))
}
