//! `/v1/stock`: report stock levels.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use service_kit::permissions::Dispatch;
use service_kit::{input::Body, problem::Problem};

use crate::{
    app::{
        Services,
        inventory::stock::{self, Report},
    },
    http::{Done, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new().api_route(
        "/v1/stock",
        post_with(report, |o| o.id("stock.report").summary("Report stock levels, all or none")),
    )
}

async fn report(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    Body { value, digest }: Body<Report>,
) -> Result<Done, Problem> {
    Ok(stock::report(&services, &caller, digest, value).await?.into())
}
