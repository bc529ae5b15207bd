//! Rounds of a negotiation: proposals and agreements of the two sides.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{NegotiationId, OfferId};
use service_kit::permissions::Ordering;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        sales::negotiation::rounds::{self, Agree, Open, Propose},
    },
    http::{Created, Unversioned, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/offers/{id}/negotiate",
            post_with(open, |o| {
                o.id("offer.negotiate").summary("Open a negotiation on a revision of an offer")
            }),
        )
        .api_route(
            "/v1/negotiations/{id}/propose",
            post_with(propose, |o| {
                o.id("negotiation.propose").summary("Propose a round: accepted lines and changes")
            }),
        )
        .api_route(
            "/v1/negotiations/{id}/agree",
            post_with(agree, |o| {
                o.id("negotiation.agree").summary("Agree to the last proposal of the other side")
            }),
        )
}

async fn open(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<Open>,
) -> Result<Created<Unversioned>, Problem> {
    let outcome = rounds::open(&services, &caller, digest, OfferId(id), value).await?;
    Ok(Created::within("/v1/negotiations", outcome))
}

async fn propose(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<Propose>,
) -> Result<Unversioned, Problem> {
    Ok(rounds::propose(&services, &caller, digest, NegotiationId(id), value).await?.into())
}

async fn agree(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<Agree>,
) -> Result<Unversioned, Problem> {
    Ok(rounds::agree(&services, &caller, digest, NegotiationId(id), value).await?.into())
}
