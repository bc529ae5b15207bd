//! `/v1/categories`: the product tree.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::CategoryId;
use service_kit::permissions::Pricing;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        catalogue::category::{self, MoveBelow, Open, Rename},
    },
    http::{Created, Done, Nothing, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/categories",
            post_with(open, |o| o.id("category.open").summary("Open a category")),
        )
        .api_route(
            "/v1/categories/{id}/rename",
            post_with(rename, |o| o.id("category.rename").summary("Rename a category")),
        )
        .api_route(
            "/v1/categories/{id}/move",
            post_with(move_below, |o| {
                o.id("category.move").summary("Move a category with all categories below it")
            }),
        )
        .api_route(
            "/v1/categories/{id}/close",
            post_with(close, |o| {
                o.id("category.close").summary("Close a category to further products")
            }),
        )
}

async fn open(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Body { value, digest }: Body<Open>,
) -> Result<Created, Problem> {
    let outcome = category::open(&services, &caller, digest, value).await?;
    Ok(Created::within("/v1/categories", outcome))
}

async fn rename(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Rename>,
) -> Result<Done, Problem> {
    Ok(category::rename(&services, &caller, digest, CategoryId(id), value).await?.into())
}

async fn move_below(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<MoveBelow>,
) -> Result<Done, Problem> {
    Ok(category::move_below(&services, &caller, digest, CategoryId(id), value).await?.into())
}

async fn close(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(category::close(&services, &caller, digest, CategoryId(id)).await?.into())
}
