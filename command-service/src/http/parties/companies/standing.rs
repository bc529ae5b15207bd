//! Status of a company: verified, suspended, reinstated.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::CompanyId;
use service_kit::permissions::{CreditTerms, Sales};
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        parties::company::standing::{self, Suspend},
    },
    http::{Done, Nothing, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/companies/{id}/verify",
            post_with(verify, |o| o.id("company.verify").summary("Verify a company")),
        )
        .api_route(
            "/v1/companies/{id}/suspend",
            post_with(suspend, |o| o.id("company.suspend").summary("Suspend a company")),
        )
        .api_route(
            "/v1/companies/{id}/reinstate",
            post_with(reinstate, |o| {
                o.id("company.reinstate").summary("Reinstate a suspended company")
            }),
        )
}

async fn verify(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(standing::verify(&services, &caller, digest, CompanyId(id)).await?.into())
}

async fn suspend(
    State(services): State<Services>,
    By { who: caller, .. }: By<CreditTerms>,
    PathId(id): PathId,
    Body { value, digest }: Body<Suspend>,
) -> Result<Done, Problem> {
    Ok(standing::suspend(&services, &caller, digest, CompanyId(id), value).await?.into())
}

async fn reinstate(
    State(services): State<Services>,
    By { who: caller, .. }: By<CreditTerms>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(standing::reinstate(&services, &caller, digest, CompanyId(id)).await?.into())
}
