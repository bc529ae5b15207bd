//! To whom a company belongs: a group whose prices it shares, and the firm above it.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{Company, CompanyId, GroupCode, company::Command};
use futures::FutureExt;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    Services,
    app::catalogue::trees,
    failure::{Failure, problem},
    http::access::{By, Sales},
    http::{Done, decide},
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

/// Which group; `null` is none.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct JoinGroup {
    group: Option<GroupCode>,
}

async fn join_group(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value: JoinGroup { group }, digest }: Body<JoinGroup>,
) -> Result<Done, Problem> {
    let command = Command::JoinGroup { group };
    decide::<Company>(&services, &caller, id, digest, command).await
}

/// Which firm; `null` is none.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct JoinParent {
    parent: Option<CompanyId>,
}

async fn join_parent(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value: JoinParent { parent }, digest }: Body<JoinParent>,
) -> Result<Done, Problem> {
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let views = services.views.clone();
            async move {
                work.lend(views);
                trees::join(work, CompanyId(id), parent).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}
