//! `/v1/pick-lists`: lines of orders that are picked together.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::PickListId;
use service_kit::permissions::Dispatch;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        fulfilment::pick_list::{self, Cancel, Create, Report},
    },
    http::{Created, Done, Nothing, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/pick-lists",
            post_with(create, |o| {
                o.id("pick_list.create").summary("Create a pick list of confirmed orders")
            }),
        )
        .api_route(
            "/v1/pick-lists/{id}/pick",
            post_with(pick, |o| o.id("pick_list.pick").summary("Report what was picked of lines")),
        )
        .api_route(
            "/v1/pick-lists/{id}/complete",
            post_with(complete, |o| o.id("pick_list.complete").summary("Complete a pick list")),
        )
        .api_route(
            "/v1/pick-lists/{id}/cancel",
            post_with(cancel, |o| o.id("pick_list.cancel").summary("Cancel a pick list")),
        )
}

async fn create(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    Body { value, digest }: Body<Create>,
) -> Result<Created, Problem> {
    let outcome = pick_list::create(&services, &caller, digest, value).await?;
    Ok(Created::within("/v1/pick-lists", outcome))
}

async fn pick(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    PathId(id): PathId,
    Body { value, digest }: Body<Report>,
) -> Result<Done, Problem> {
    Ok(pick_list::pick(&services, &caller, digest, PickListId(id), value).await?.into())
}

async fn complete(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(pick_list::complete(&services, &caller, digest, PickListId(id)).await?.into())
}

async fn cancel(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    PathId(id): PathId,
    Body { value, digest }: Body<Cancel>,
) -> Result<Done, Problem> {
    Ok(pick_list::cancel(&services, &caller, digest, PickListId(id), value).await?.into())
}
