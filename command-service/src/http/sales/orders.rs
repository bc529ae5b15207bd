//! `/v1/orders`: place, confirm, cancel, approve and refuse orders.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::OrderId;
use service_kit::permissions::{BuyerApprovals, CreditHolds, Ordering, Sales};
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        inventory::order_reservation::{self, Confirm},
        sales::{
            approvals::{Approve, Refuse},
            credit_account::holds::{self, Refuse as RefuseHold, Release},
            order::{self, Cancel, Place},
            order_promise::{self, Promise},
        },
    },
    http::{Created, Done, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/orders",
            post_with(place, |o| o.id("order.place").summary("Place an order")),
        )
        .api_route(
            "/v1/orders/{id}/confirm",
            post_with(confirm, |o| {
                o.id("order.confirm").summary("Confirm an order and reserve its goods")
            }),
        )
        .api_route(
            "/v1/orders/{id}/promise",
            post_with(promise, |o| {
                o.id("order.promise").summary("Promise delivery of a confirmed order on a day")
            }),
        )
        .api_route(
            "/v1/orders/{id}/cancel",
            post_with(cancel, |o| {
                o.id("order.cancel")
                    .summary("Cancel an order, or the quantities that were not shipped, and release its goods")
            }),
        )
        .api_route(
            "/v1/orders/{id}/approve",
            post_with(approve, |o| o.id("order.approve").summary("Approve an order")),
        )
        .api_route(
            "/v1/orders/{id}/refuse",
            post_with(refuse, |o| {
                o.id("order.refuse").summary("Refuse an order that awaits approval")
            }),
        )
        .api_route(
            "/v1/orders/{id}/release-credit-hold",
            post_with(release_credit_hold, |o| {
                o.id("order.release_credit_hold")
                    .summary("Release an order from its credit hold, whatever the limit")
            }),
        )
        .api_route(
            "/v1/orders/{id}/refuse-credit-hold",
            post_with(refuse_credit_hold, |o| {
                o.id("order.refuse_credit_hold").summary("Cancel an order that is on credit hold")
            }),
        )
}

async fn place(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    Body { value, digest }: Body<Place>,
) -> Result<Created, Problem> {
    let outcome = order::place(&services, &caller, digest, value).await?;
    Ok(Created::within("/v1/orders", outcome))
}

async fn confirm(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<Confirm>,
) -> Result<Done, Problem> {
    let outcome =
        order_reservation::confirm(&services, &caller, digest, OrderId(id), value).await?;
    Ok(outcome.into())
}

async fn promise(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<Promise>,
) -> Result<Done, Problem> {
    Ok(order_promise::promise(&services, &caller, digest, OrderId(id), value).await?.into())
}

async fn cancel(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<Cancel>,
) -> Result<Done, Problem> {
    let outcome = order_reservation::cancel(&services, &caller, digest, OrderId(id), value).await?;
    Ok(outcome.into())
}

async fn approve(
    State(services): State<Services>,
    By { who: caller, .. }: By<BuyerApprovals>,
    PathId(id): PathId,
    Body { value, digest }: Body<Approve>,
) -> Result<Done, Problem> {
    Ok(order::approve(&services, &caller, digest, OrderId(id), value).await?.into())
}

async fn refuse(
    State(services): State<Services>,
    By { who: caller, .. }: By<BuyerApprovals>,
    PathId(id): PathId,
    Body { value, digest }: Body<Refuse>,
) -> Result<Done, Problem> {
    Ok(order::refuse(&services, &caller, digest, OrderId(id), value).await?.into())
}

async fn release_credit_hold(
    State(services): State<Services>,
    By { who: caller, .. }: By<CreditHolds>,
    PathId(id): PathId,
    Body { value, digest }: Body<Release>,
) -> Result<Done, Problem> {
    Ok(holds::release(&services, &caller, digest, OrderId(id), value).await?.into())
}

async fn refuse_credit_hold(
    State(services): State<Services>,
    By { who: caller, .. }: By<CreditHolds>,
    PathId(id): PathId,
    Body { value, digest }: Body<RefuseHold>,
) -> Result<Done, Problem> {
    Ok(holds::refuse(&services, &caller, digest, OrderId(id), value).await?.into())
}
