//! `/v1/companies`: register and change companies.

mod places;
mod standing;
mod terms;
mod tree;

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::CompanyId;
use service_kit::permissions::Sales;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        parties::company::{self, Register, Rename},
    },
    http::{Created, Done, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/companies",
            post_with(register, |o| o.id("company.register").summary("Register a company")),
        )
        .api_route(
            "/v1/companies/{id}/rename",
            post_with(rename, |o| o.id("company.rename").summary("Rename a company")),
        )
        .merge(standing::routes())
        .merge(terms::routes())
        .merge(places::routes())
        .merge(tree::routes())
}

async fn register(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    Body { value, digest }: Body<Register>,
) -> Result<Created, Problem> {
    let outcome = company::register(&services, &caller, digest, value).await?;
    Ok(Created::within("/v1/companies", outcome))
}

async fn rename(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<Rename>,
) -> Result<Done, Problem> {
    Ok(company::rename(&services, &caller, digest, CompanyId(id), value).await?.into())
}
