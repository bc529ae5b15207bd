//! `/v1/approval-rules`: approval rules of a company's orders and of the seller's offers.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::CompanyId;
use service_kit::permissions::{EmployeeAdministration, Operator};
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        sales::approval_rules::{self, Adopt},
    },
    http::{Done, Nothing, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/approval-rules",
            post_with(adopt_for_seller, |o| {
                o.id("approval_rules.adopt_for_seller")
                    .summary("Adopt the approval rules of the seller's offers")
            }),
        )
        .api_route(
            "/v1/companies/{id}/approval-rules",
            post_with(adopt, |o| {
                o.id("approval_rules.adopt")
                    .summary("Adopt the approval rules of a company's orders")
            }),
        )
        .api_route(
            "/v1/companies/{id}/approval-rules/inherit",
            post_with(inherit, |o| {
                o.id("approval_rules.inherit")
                    .summary("Inherit the approval rules of the parent company")
            }),
        )
}

async fn adopt_for_seller(
    State(services): State<Services>,
    By { who: caller, .. }: By<Operator>,
    Body { value, digest }: Body<Adopt>,
) -> Result<Done, Problem> {
    Ok(approval_rules::adopt_for_seller(&services, &caller, digest, value).await?.into())
}

async fn adopt(
    State(services): State<Services>,
    By { who: caller, .. }: By<EmployeeAdministration>,
    PathId(id): PathId,
    Body { value, digest }: Body<Adopt>,
) -> Result<Done, Problem> {
    Ok(approval_rules::adopt(&services, &caller, digest, CompanyId(id), value).await?.into())
}

async fn inherit(
    State(services): State<Services>,
    By { who: caller, .. }: By<EmployeeAdministration>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(approval_rules::inherit(&services, &caller, digest, CompanyId(id)).await?.into())
}
