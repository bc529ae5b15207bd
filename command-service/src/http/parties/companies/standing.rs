//! How the seller stands to a company: verified, suspended, reinstated.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{Company, Note, company::Command};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    Services,
    http::access::{By, Sales, Trust},
    http::{Done, Nothing, decide},
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
    let command = Command::Verify { by: caller.actor(), on: services.clock.today() };
    decide::<Company>(&services, &caller, id, digest, command).await
}

/// Why.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SuspendCompany")]
struct Suspend {
    reason: Note,
}

async fn suspend(
    State(services): State<Services>,
    By { who: caller, .. }: By<Trust>,
    PathId(id): PathId,
    Body { value: Suspend { reason }, digest }: Body<Suspend>,
) -> Result<Done, Problem> {
    let command = Command::Suspend { reason };
    decide::<Company>(&services, &caller, id, digest, command).await
}

async fn reinstate(
    State(services): State<Services>,
    By { who: caller, .. }: By<Trust>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    let command = Command::Reinstate;
    decide::<Company>(&services, &caller, id, digest, command).await
}
