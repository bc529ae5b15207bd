//! `/v1/companies/{id}/product-codes`: a company's own codes for products.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::CompanyId;
use service_kit::permissions::Ordering;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        catalogue::product_code::{self, Assign, Forget},
    },
    http::{Done, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/companies/{id}/product-codes",
            post_with(assign, |o| {
                o.id("product_code.assign").summary("Assign a company's own product codes")
            }),
        )
        .api_route(
            "/v1/companies/{id}/product-codes/drop",
            post_with(forget, |o| {
                o.id("product_code.drop").summary("Drop a company's own product codes")
            }),
        )
}

async fn assign(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<Assign>,
) -> Result<Done, Problem> {
    Ok(product_code::assign(&services, &caller, digest, CompanyId(id), value).await?.into())
}

async fn forget(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<Forget>,
) -> Result<Done, Problem> {
    Ok(product_code::forget(&services, &caller, digest, CompanyId(id), value).await?.into())
}
