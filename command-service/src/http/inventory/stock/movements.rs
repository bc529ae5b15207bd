//! Movements of goods, and what is expected.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{ProductId, stock::Settings};
use service_kit::permissions::Dispatch;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        inventory::stock::movements::{
            self, Adjust, CancelExpected, Count, Expect, Movement, Receive, TakeBack, Transfer,
            Withdraw,
        },
    },
    http::{Done, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/stock/{id}/receive",
            post_with(receive, |o| o.id("stock.receive").summary("Receive goods")),
        )
        .api_route(
            "/v1/stock/{id}/adjust",
            post_with(adjust, |o| {
                o.id("stock.adjust").summary("Correct a balance by a difference, with its reason")
            }),
        )
        .api_route(
            "/v1/stock/{id}/count",
            post_with(count, |o| o.id("stock.count").summary("Record a stock-taking")),
        )
        .api_route(
            "/v1/stock/{id}/transfer",
            post_with(transfer, |o| {
                o.id("stock.transfer").summary("Move goods to another warehouse")
            }),
        )
        .api_route(
            "/v1/stock/{id}/withdraw",
            post_with(withdraw, |o| {
                o.id("stock.withdraw").summary("Record goods that left without an order")
            }),
        )
        .api_route(
            "/v1/stock/{id}/take-back",
            post_with(take_back, |o| {
                o.id("stock.take_back").summary("Take goods back: restock, second choice or scrap")
            }),
        )
        .api_route(
            "/v1/stock/{id}/expect",
            post_with(expect, |o| {
                o.id("stock.expect").summary("Announce a receipt, or change one that was announced")
            }),
        )
        .api_route(
            "/v1/stock/{id}/cancel-expected",
            post_with(cancel_expected, |o| {
                o.id("stock.cancel_expected").summary("Expect a receipt no more")
            }),
        )
        .api_route(
            "/v1/stock/{id}/settings",
            post_with(configure, |o| {
                o.id("stock.configure").summary("Set how the stock of a product is kept")
            }),
        )
}

async fn receive(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    PathId(id): PathId,
    Body { value, digest }: Body<Receive>,
) -> Result<Done, Problem> {
    let movement = Movement::Receive(value);
    Ok(movements::record(&services, &caller, digest, ProductId(id), movement).await?.into())
}

async fn adjust(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    PathId(id): PathId,
    Body { value, digest }: Body<Adjust>,
) -> Result<Done, Problem> {
    let movement = Movement::Adjust(value);
    Ok(movements::record(&services, &caller, digest, ProductId(id), movement).await?.into())
}

async fn count(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    PathId(id): PathId,
    Body { value, digest }: Body<Count>,
) -> Result<Done, Problem> {
    let movement = Movement::Count(value);
    Ok(movements::record(&services, &caller, digest, ProductId(id), movement).await?.into())
}

async fn transfer(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    PathId(id): PathId,
    Body { value, digest }: Body<Transfer>,
) -> Result<Done, Problem> {
    let movement = Movement::Transfer(value);
    Ok(movements::record(&services, &caller, digest, ProductId(id), movement).await?.into())
}

async fn withdraw(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    PathId(id): PathId,
    Body { value, digest }: Body<Withdraw>,
) -> Result<Done, Problem> {
    let movement = Movement::Withdraw(value);
    Ok(movements::record(&services, &caller, digest, ProductId(id), movement).await?.into())
}

async fn take_back(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    PathId(id): PathId,
    Body { value, digest }: Body<TakeBack>,
) -> Result<Done, Problem> {
    let movement = Movement::TakeBack(value);
    Ok(movements::record(&services, &caller, digest, ProductId(id), movement).await?.into())
}

async fn expect(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    PathId(id): PathId,
    Body { value, digest }: Body<Expect>,
) -> Result<Done, Problem> {
    Ok(movements::expect(&services, &caller, digest, ProductId(id), value).await?.into())
}

async fn cancel_expected(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    PathId(id): PathId,
    Body { value, digest }: Body<CancelExpected>,
) -> Result<Done, Problem> {
    Ok(movements::cancel_expected(&services, &caller, digest, ProductId(id), value).await?.into())
}

async fn configure(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    PathId(id): PathId,
    Body { value, digest }: Body<Settings>,
) -> Result<Done, Problem> {
    Ok(movements::configure(&services, &caller, digest, ProductId(id), value).await?.into())
}
