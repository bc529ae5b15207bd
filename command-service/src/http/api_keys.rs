//! `/v1/api-keys`: who may come in.

use aide::axum::{
    ApiRouter, IntoApiResponse,
    routing::{delete_with, get_with},
};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::NoContent,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{
    access::{ApiKey, Role},
    input::{Body, PathId},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Services,
    caller::{By, Operator},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/api-keys",
            get_with(list, |o| o.id("api_key.list").summary("All keys, without their secrets"))
                .post_with(create, |o| {
                    o.id("api_key.create")
                        .summary("Make a key")
                        .response_with::<201, Json<Made>, _>(|r| {
                            r.description("its secret, this once: asking again is refused")
                        })
                }),
        )
        .api_route(
            "/v1/api-keys/{id}",
            delete_with(revoke, |o| o.id("api_key.revoke").summary("Take a key out of use")),
        )
}

/// A key to make.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Create {
    name: domain::Name,
    role: Role,
    /// For a buyer's key: its company.
    #[serde(default)]
    company: Option<Uuid>,
}

/// A key that was made; the secret is shown this once.
#[derive(Debug, Serialize, JsonSchema)]
struct Made {
    id: Uuid,
    key: String,
}

async fn create(
    State(services): State<Services>,
    By { who: caller, .. }: By<Operator>,
    Body { value, .. }: Body<Create>,
) -> Result<impl IntoApiResponse, Problem> {
    let Create { name, role, company } = value;
    let id = caller.command_id();
    let key = services.access.create(id, name.as_str(), role, company).await?;
    let location = [(header::LOCATION, format!("/v1/api-keys/{id}"))];
    Ok((StatusCode::CREATED, location, Json(Made { id, key })))
}

async fn list(
    State(services): State<Services>,
    _: By<Operator>,
) -> Result<Json<Vec<ApiKey>>, Problem> {
    Ok(Json(services.access.list().await?))
}

async fn revoke(
    State(services): State<Services>,
    _: By<Operator>,
    PathId(id): PathId,
) -> Result<NoContent, Problem> {
    if services.access.revoke(id).await? { Ok(NoContent) } else { Err(Problem::not_found()) }
}
