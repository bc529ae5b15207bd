//! `/v1/price-agreements`: price lists, contracts and promotions, and their prices.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{AgreementId, price_agreement::Header};
use service_kit::permissions::Pricing;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        pricing::price_agreement::{self, Agree, Shorten, Withdraw},
    },
    http::{Created, Done, Nothing, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/price-agreements",
            post_with(draft, |o| {
                o.id("price_agreement.draft").summary("Draft a price list or a contract")
            }),
        )
        .api_route(
            "/v1/price-agreements/{id}/activate",
            post_with(activate, |o| {
                o.id("price_agreement.activate").summary("Activate a price agreement")
            }),
        )
        .api_route(
            "/v1/price-agreements/{id}/end",
            post_with(end, |o| o.id("price_agreement.end").summary("End a price agreement")),
        )
        .api_route(
            "/v1/price-agreements/{id}/shorten",
            post_with(shorten, |o| {
                o.id("price_agreement.shorten").summary("Shorten the validity of a price agreement")
            }),
        )
        .api_route(
            "/v1/price-agreements/{id}/prices",
            post_with(agree, |o| o.id("price.agree").summary("Agree on prices, all or none")),
        )
        .api_route(
            "/v1/price-agreements/{id}/prices/withdraw",
            post_with(withdraw, |o| o.id("price.withdraw").summary("Withdraw prices")),
        )
}

async fn draft(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Body { value, digest }: Body<Header>,
) -> Result<Created, Problem> {
    let outcome = price_agreement::draft(&services, &caller, digest, value).await?;
    Ok(Created::within("/v1/price-agreements", outcome))
}

async fn activate(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(price_agreement::activate(&services, &caller, digest, AgreementId(id)).await?.into())
}

async fn end(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(price_agreement::end(&services, &caller, digest, AgreementId(id)).await?.into())
}

async fn shorten(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Shorten>,
) -> Result<Done, Problem> {
    Ok(price_agreement::shorten(&services, &caller, digest, AgreementId(id), value).await?.into())
}

async fn agree(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Agree>,
) -> Result<Done, Problem> {
    Ok(price_agreement::agree(&services, &caller, digest, AgreementId(id), value).await?.into())
}

async fn withdraw(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Withdraw>,
) -> Result<Done, Problem> {
    Ok(price_agreement::withdraw(&services, &caller, digest, AgreementId(id), value).await?.into())
}
