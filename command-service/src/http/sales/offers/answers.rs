//! Answers of a company to an offer.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::OfferId;
use service_kit::permissions::{Buyers, OfferReaders};
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        sales::offer::{
            Reason,
            answers::{self, Accept, View},
        },
    },
    http::{Unversioned, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/offers/{id}/view",
            post_with(view, |o| {
                o.id("offer.view").summary("Record that the company has viewed a revision")
            }),
        )
        .api_route(
            "/v1/offers/{id}/accept",
            post_with(accept, |o| {
                o.id("offer.accept").summary(
                    "Accept a revision of an offer, or lines of it, which places its order",
                )
            }),
        )
        .api_route(
            "/v1/offers/{id}/reject",
            post_with(reject, |o| o.id("offer.reject").summary("Reject an offer")),
        )
}

async fn view(
    State(services): State<Services>,
    By { who: caller, .. }: By<OfferReaders>,
    PathId(id): PathId,
    Body { value, digest }: Body<View>,
) -> Result<Unversioned, Problem> {
    Ok(answers::view(&services, &caller, digest, OfferId(id), value).await?.into())
}

async fn accept(
    State(services): State<Services>,
    By { who: caller, .. }: By<Buyers>,
    PathId(id): PathId,
    Body { value, digest }: Body<Accept>,
) -> Result<Unversioned, Problem> {
    Ok(answers::accept(&services, &caller, digest, OfferId(id), value).await?.into())
}

async fn reject(
    State(services): State<Services>,
    By { who: caller, .. }: By<Buyers>,
    PathId(id): PathId,
    Body { value, digest }: Body<Reason>,
) -> Result<Unversioned, Problem> {
    Ok(answers::reject(&services, &caller, digest, OfferId(id), value).await?.into())
}
