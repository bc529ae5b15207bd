//! Drafts of offers, written line by line or from an existing document.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::OfferId;
use service_kit::permissions::Sales;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        sales::offer::drafts::{self, Draft},
    },
    http::{Created, Unversioned, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/offers",
            post_with(draft, |o| o.id("offer.draft").summary("Draft an offer")),
        )
        .api_route(
            "/v1/offers/{id}/draft",
            post_with(redraft, |o| {
                o.id("offer.redraft").summary("Draft an unsent offer again, or its next revision")
            }),
        )
}

async fn draft(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    Body { value, digest }: Body<Draft>,
) -> Result<Created<Unversioned>, Problem> {
    let outcome = drafts::draft(&services, &caller, digest, value).await?;
    Ok(Created::within("/v1/offers", outcome))
}

async fn redraft(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<Draft>,
) -> Result<Unversioned, Problem> {
    Ok(drafts::redraft(&services, &caller, digest, OfferId(id), value).await?.into())
}
