//! The group and the parent of a company.

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
        parties::company::tree::{self, JoinGroup},
        sales::credit_account::holders::{self, JoinParent},
    },
    http::{Done, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/companies/{id}/group",
            post_with(join_group, |o| {
                o.id("company.join_group").summary("Assign a company to a group, or to none")
            }),
        )
        .api_route(
            "/v1/companies/{id}/parent",
            post_with(join_parent, |o| {
                o.id("company.join_parent").summary("Set the parent of a company, or none")
            }),
        )
}

async fn join_group(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<JoinGroup>,
) -> Result<Done, Problem> {
    Ok(tree::join_group(&services, &caller, digest, CompanyId(id), value).await?.into())
}

async fn join_parent(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<JoinParent>,
) -> Result<Done, Problem> {
    Ok(holders::join_parent(&services, &caller, digest, CompanyId(id), value).await?.into())
}
