//! `/v1/order-lists`: what companies order again and again.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::OrderListId;
use service_kit::permissions::Ordering;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        sales::{
            cart::{ChangeLines, RemoveLines, Rename, adding::AddLines},
            order_list::{self, Make},
        },
    },
    http::{Created, Done, Nothing, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/order-lists",
            post_with(make, |o| o.id("order_list.make").summary("Make an order list")),
        )
        .api_route(
            "/v1/order-lists/{id}/discard",
            post_with(discard, |o| o.id("order_list.discard").summary("Use an order list no more")),
        )
        .api_route(
            "/v1/order-lists/{id}/lines",
            post_with(add_lines, |o| {
                o.id("order_list.add_lines").summary("Add products to an order list")
            }),
        )
        .api_route(
            "/v1/order-lists/{id}/lines/change",
            post_with(change_lines, |o| {
                o.id("order_list.change_lines").summary("Change lines of an order list")
            }),
        )
        .api_route(
            "/v1/order-lists/{id}/lines/remove",
            post_with(remove_lines, |o| {
                o.id("order_list.remove_lines").summary("Remove lines of an order list")
            }),
        )
        .api_route(
            "/v1/order-lists/{id}/rename",
            post_with(rename, |o| o.id("order_list.rename").summary("Rename an order list")),
        )
        .api_route(
            "/v1/order-lists/{id}/share",
            post_with(share, |o| {
                o.id("order_list.share").summary("Show an order list to the others of its company")
            }),
        )
        .api_route(
            "/v1/order-lists/{id}/unshare",
            post_with(unshare, |o| {
                o.id("order_list.unshare")
                    .summary("Hide an order list from everybody but its owner")
            }),
        )
}

async fn make(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    Body { value, digest }: Body<Make>,
) -> Result<Created, Problem> {
    let outcome = order_list::make(&services, &caller, digest, value).await?;
    Ok(Created::within("/v1/order-lists", outcome))
}

async fn discard(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(order_list::discard(&services, &caller, digest, OrderListId(id)).await?.into())
}

async fn share(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(order_list::share(&services, &caller, digest, OrderListId(id)).await?.into())
}

async fn unshare(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(order_list::unshare(&services, &caller, digest, OrderListId(id)).await?.into())
}

async fn add_lines(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<AddLines>,
) -> Result<Done, Problem> {
    Ok(order_list::add_lines(&services, &caller, digest, OrderListId(id), value).await?.into())
}

async fn change_lines(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<ChangeLines>,
) -> Result<Done, Problem> {
    Ok(order_list::change_lines(&services, &caller, digest, OrderListId(id), value).await?.into())
}

async fn remove_lines(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<RemoveLines>,
) -> Result<Done, Problem> {
    Ok(order_list::remove_lines(&services, &caller, digest, OrderListId(id), value).await?.into())
}

async fn rename(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<Rename>,
) -> Result<Done, Problem> {
    Ok(order_list::rename(&services, &caller, digest, OrderListId(id), value).await?.into())
}
