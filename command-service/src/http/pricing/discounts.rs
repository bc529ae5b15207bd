//! `/v1/discounts`: discount programmes by turnover or number of orders.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use service_kit::permissions::Pricing;
use service_kit::{input::Body, problem::Problem};

use crate::{
    app::{
        Services,
        pricing::discount::{self, End, Offer},
    },
    http::{Done, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/discounts/offer",
            post_with(offer, |o| {
                o.id("discount.offer")
                    .summary("Offer a discount programme for turnover or frequent orders")
            }),
        )
        .api_route(
            "/v1/discounts/end",
            post_with(end, |o| o.id("discount.end").summary("End a discount programme")),
        )
}

async fn offer(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Body { value, digest }: Body<Offer>,
) -> Result<Done, Problem> {
    Ok(discount::offer(&services, &caller, digest, value).await?.into())
}

async fn end(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Body { value, digest }: Body<End>,
) -> Result<Done, Problem> {
    Ok(discount::end(&services, &caller, digest, value).await?.into())
}
