//! `/v1/products`: draft, price, publish and withdraw products.

mod details;

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::ProductId;
use service_kit::permissions::Pricing;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        catalogue::product::{self, Draft, Floor, Price, Withdraw},
    },
    http::{Created, Done, Nothing, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/products",
            post_with(draft, |o| o.id("product.draft").summary("Draft a product")),
        )
        .api_route(
            "/v1/products/{id}/price",
            post_with(price, |o| o.id("product.price").summary("Set a base price")),
        )
        .api_route(
            "/v1/products/{id}/floor",
            post_with(floor, |o| o.id("product.floor").summary("Set the floor price of a product")),
        )
        .api_route(
            "/v1/products/{id}/publish",
            post_with(publish, |o| o.id("product.publish").summary("Publish a product")),
        )
        .api_route(
            "/v1/products/{id}/withdraw",
            post_with(withdraw, |o| o.id("product.withdraw").summary("Withdraw a product")),
        )
        .merge(details::routes())
}

async fn draft(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Body { value, digest }: Body<Draft>,
) -> Result<Created, Problem> {
    let outcome = product::draft(&services, &caller, digest, value).await?;
    Ok(Created::within("/v1/products", outcome))
}

async fn price(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Price>,
) -> Result<Done, Problem> {
    Ok(product::price(&services, &caller, digest, ProductId(id), value).await?.into())
}

async fn floor(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Floor>,
) -> Result<Done, Problem> {
    Ok(product::floor(&services, &caller, digest, ProductId(id), value).await?.into())
}

async fn publish(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(product::publish(&services, &caller, digest, ProductId(id)).await?.into())
}

async fn withdraw(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Withdraw>,
) -> Result<Done, Problem> {
    Ok(product::withdraw(&services, &caller, digest, ProductId(id), value).await?.into())
}
