//! `/v1/standing-orders`: what companies order again and again.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::StandingOrderId;
use service_kit::permissions::Ordering;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        sales::standing_order::{self, Change, ChangeDate, OfDate, Start, Stop},
    },
    http::{Created, Done, Nothing, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/standing-orders",
            post_with(start, |o| o.id("standing_order.start").summary("Start a standing order")),
        )
        .api_route(
            "/v1/standing-orders/{id}/change",
            post_with(change, |o| {
                o.id("standing_order.change")
                    .summary("Replace what a standing order orders, when and how")
            }),
        )
        .api_route(
            "/v1/standing-orders/{id}/pause",
            post_with(pause, |o| o.id("standing_order.pause").summary("Pause a standing order")),
        )
        .api_route(
            "/v1/standing-orders/{id}/resume",
            post_with(resume, |o| o.id("standing_order.resume").summary("Resume a standing order")),
        )
        .api_route(
            "/v1/standing-orders/{id}/end",
            post_with(end, |o| o.id("standing_order.end").summary("End a standing order")),
        )
        .api_route(
            "/v1/standing-orders/{id}/skip",
            post_with(skip, |o| {
                o.id("standing_order.skip").summary("Skip one date of a standing order")
            }),
        )
        .api_route(
            "/v1/standing-orders/{id}/change-date",
            post_with(change_date, |o| {
                o.id("standing_order.change_date")
                    .summary("Order on another day, or other lines, for one date")
            }),
        )
        .api_route(
            "/v1/standing-orders/{id}/restore",
            post_with(restore, |o| {
                o.id("standing_order.restore").summary("Take back what was changed of one date")
            }),
        )
}

async fn start(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    Body { value, digest }: Body<Start>,
) -> Result<Created, Problem> {
    let outcome = standing_order::start(&services, &caller, digest, value).await?;
    Ok(Created::within("/v1/standing-orders", outcome))
}

async fn change(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<Change>,
) -> Result<Done, Problem> {
    let id = StandingOrderId(id);
    Ok(standing_order::change(&services, &caller, digest, id, value).await?.into())
}

async fn pause(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<Stop>,
) -> Result<Done, Problem> {
    let id = StandingOrderId(id);
    Ok(standing_order::pause(&services, &caller, digest, id, value).await?.into())
}

async fn resume(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(standing_order::resume(&services, &caller, digest, StandingOrderId(id)).await?.into())
}

async fn end(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<Stop>,
) -> Result<Done, Problem> {
    Ok(standing_order::end(&services, &caller, digest, StandingOrderId(id), value).await?.into())
}

async fn skip(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<OfDate>,
) -> Result<Done, Problem> {
    Ok(standing_order::skip(&services, &caller, digest, StandingOrderId(id), value).await?.into())
}

async fn change_date(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<ChangeDate>,
) -> Result<Done, Problem> {
    let id = StandingOrderId(id);
    Ok(standing_order::change_date(&services, &caller, digest, id, value).await?.into())
}

async fn restore(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<OfDate>,
) -> Result<Done, Problem> {
    let id = StandingOrderId(id);
    Ok(standing_order::restore(&services, &caller, digest, id, value).await?.into())
}
