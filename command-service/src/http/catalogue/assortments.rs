//! `/v1/assortments`: which audiences see which products.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use service_kit::permissions::Pricing;
use service_kit::{input::Body, problem::Problem};

use crate::{
    app::{
        Services,
        catalogue::assortment::{self, Rule},
    },
    http::{Done, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/assortments/allow",
            post_with(allow, |o| {
                o.id("assortment.allow").summary("Allow a selection of products for an audience")
            }),
        )
        .api_route(
            "/v1/assortments/deny",
            post_with(deny, |o| {
                o.id("assortment.deny").summary("Deny a selection of products to an audience")
            }),
        )
        .api_route(
            "/v1/assortments/lift",
            post_with(lift, |o| o.id("assortment.lift").summary("Remove an assortment rule")),
        )
}

async fn allow(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Body { value, digest }: Body<Rule>,
) -> Result<Done, Problem> {
    Ok(assortment::allow(&services, &caller, digest, value).await?.into())
}

async fn deny(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Body { value, digest }: Body<Rule>,
) -> Result<Done, Problem> {
    Ok(assortment::deny(&services, &caller, digest, value).await?.into())
}

async fn lift(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Body { value, digest }: Body<Rule>,
) -> Result<Done, Problem> {
    Ok(assortment::lift(&services, &caller, digest, value).await?.into())
}
