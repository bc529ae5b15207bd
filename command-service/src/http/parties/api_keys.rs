//! `/v1/api-keys`: create, list, show and revoke API keys.

use aide::axum::{ApiRouter, IntoApiResponse, routing::get_with};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::NoContent,
};
use service_kit::permissions::{Audit, EmployeeAdministration};
use service_kit::{
    access::ApiKey,
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        parties::api_key::{self, Create, Made},
    },
    http::access::By,
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/api-keys",
            get_with(list, |o| {
                o.id("api_key.list")
                    .summary("List API keys without their secrets; a company lists its own")
            })
            .post_with(create, |o| {
                o.id("api_key.create")
                    .summary("Create an API key")
                    .response_with::<201, Json<Made>, _>(|r| {
                        r.description("the key with its secret, which is shown only once")
                    })
            }),
        )
        .api_route(
            "/v1/api-keys/{id}",
            get_with(show, |o| {
                o.id("api_key.show").summary("Show the owner of an API key, also of a revoked one")
            })
            .delete_with(revoke, |o| o.id("api_key.revoke").summary("Revoke an API key")),
        )
}

/// The actor `key:<id>` in history is a key that belongs to no employee.
async fn show(
    State(services): State<Services>,
    _: By<Audit>,
    PathId(id): PathId,
) -> Result<Json<ApiKey>, Problem> {
    services.access.show(id).await?.map(Json).ok_or_else(Problem::not_found)
}

async fn create(
    State(services): State<Services>,
    By { who: caller, .. }: By<EmployeeAdministration>,
    Body { value, .. }: Body<Create>,
) -> Result<impl IntoApiResponse, Problem> {
    let made = api_key::create(&services, &caller, value).await?;
    let location = [(header::LOCATION, format!("/v1/api-keys/{}", made.id))];
    Ok((StatusCode::CREATED, location, Json(made)))
}

async fn list(
    State(services): State<Services>,
    By { who: caller, .. }: By<EmployeeAdministration>,
) -> Result<Json<Vec<ApiKey>>, Problem> {
    Ok(Json(services.access.list(caller.company()).await?))
}

async fn revoke(
    State(services): State<Services>,
    By { who: caller, .. }: By<EmployeeAdministration>,
    PathId(id): PathId,
) -> Result<NoContent, Problem> {
    if services.access.revoke(id, caller.company()).await? {
        Ok(NoContent)
    } else {
        Err(Problem::not_found())
    }
}
