//! `/v1/territories`: which representatives of the seller are assigned to which companies.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::territories::Map;
use service_kit::permissions::Pricing;
use service_kit::{input::Body, problem::Problem};

use crate::{
    app::{Services, parties::territories},
    http::{Done, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new().api_route(
        "/v1/territories",
        post_with(draw, |o| {
            o.id("territories.draw")
                .summary("Replace the assignment of representatives to companies")
        }),
    )
}

async fn draw(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Body { value, digest }: Body<Map>,
) -> Result<Done, Problem> {
    Ok(territories::draw(&services, &caller, digest, value).await?.into())
}
