//! `/v1/policies`: how far what follows by itself has followed.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use service_kit::problem::Problem;

use crate::{
    Services,
    caller::{By, Operator},
    policies::{self, Progress},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new().api_route(
        "/v1/policies",
        get_with(list, |o| o.id("policy.list").summary("How far each policy has got")),
    )
}

async fn list(
    State(services): State<Services>,
    _: By<Operator>,
) -> Result<Json<Vec<Progress>>, Problem> {
    let progress = policies::progress(&services).await;
    progress.map(Json).map_err(|error| match error {
        policies::PolicyError::Unavailable(_) => {
            Problem::unavailable("the checkpoints cannot be read right now")
        }
        error => Problem::internal(&error),
    })
}
