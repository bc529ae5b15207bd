//! `/v1/stock`: report stock levels.

mod movements;

use aide::axum::{ApiRouter, routing::post_with};
use axum::{Json, extract::State};
use service_kit::permissions::Dispatch;
use service_kit::{input::Body, problem::Problem};

use crate::{
    app::{
        Services,
        inventory::stock::{
            self, Report,
            feed::{self, Feed},
        },
    },
    http::{Done, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/stock",
            post_with(report, |o| o.id("stock.report").summary("Report stock levels, all or none")),
        )
        .api_route(
            "/v1/stock/feed",
            post_with(feed, |o| {
                o.id("stock.feed")
                    .summary("Record the rows of an external warehouse, each once by its reference")
            }),
        )
        .merge(movements::routes())
}

async fn report(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    Body { value, digest }: Body<Report>,
) -> Result<Done, Problem> {
    Ok(stock::report(&services, &caller, digest, value).await?.into())
}

async fn feed(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    Body { value, digest }: Body<Feed>,
) -> Result<Json<feed::Report>, Problem> {
    feed::record(&services, &caller, digest, value).await.map(Json)
}
