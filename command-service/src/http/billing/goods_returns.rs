//! `/v1/returns`: goods that companies send back, and complaints.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::GoodsReturnId;
use service_kit::permissions::{Dispatch, Ordering, ReturnCredits, ReturnDecisions};
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        billing::goods_return::{
            self, Authorise, Close, Credit, Inspect, Receive, Refuse, Replace, Request, Send,
            Withdraw,
        },
    },
    http::{Created, Unversioned, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/returns",
            post_with(request, |o| {
                o.id("goods_return.request").summary("Request a return, or complain")
            }),
        )
        .api_route(
            "/v1/returns/{id}/authorise",
            post_with(authorise, |o| {
                o.id("goods_return.authorise").summary("Authorise a return, whole or in part")
            }),
        )
        .api_route(
            "/v1/returns/{id}/refuse",
            post_with(refuse, |o| o.id("goods_return.refuse").summary("Refuse a return")),
        )
        .api_route(
            "/v1/returns/{id}/withdraw",
            post_with(withdraw, |o| {
                o.id("goods_return.withdraw")
                    .summary("Take a return back, while no goods have come")
            }),
        )
        .api_route(
            "/v1/returns/{id}/send",
            post_with(send, |o| {
                o.id("goods_return.send").summary("Record that a parcel of a return was sent")
            }),
        )
        .api_route(
            "/v1/returns/{id}/receive",
            post_with(receive, |o| {
                o.id("goods_return.receive").summary("Take in goods of a return")
            }),
        )
        .api_route(
            "/v1/returns/{id}/inspect",
            post_with(inspect, |o| {
                o.id("goods_return.inspect").summary("Decide what becomes of goods that came back")
            }),
        )
        .api_route(
            "/v1/returns/{id}/credit",
            post_with(credit, |o| {
                o.id("goods_return.credit")
                    .summary("Credit goods of a return, or a complaint, by a credit note")
            }),
        )
        .api_route(
            "/v1/returns/{id}/replace",
            post_with(replace, |o| {
                o.id("goods_return.replace").summary(
                    "Credit goods of a return and order the same once more at the same prices",
                )
            }),
        )
        .api_route(
            "/v1/returns/{id}/close",
            post_with(close, |o| {
                o.id("goods_return.close")
                    .summary("Close a return before all that was authorised is settled")
            }),
        )
}

async fn request(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    Body { value, digest }: Body<Request>,
) -> Result<Created<Unversioned>, Problem> {
    let outcome = goods_return::request(&services, &caller, digest, value).await?;
    Ok(Created::within("/v1/returns", outcome))
}

async fn authorise(
    State(services): State<Services>,
    By { who: caller, .. }: By<ReturnDecisions>,
    PathId(id): PathId,
    Body { value, digest }: Body<Authorise>,
) -> Result<Unversioned, Problem> {
    Ok(goods_return::authorise(&services, &caller, digest, GoodsReturnId(id), value).await?.into())
}

async fn refuse(
    State(services): State<Services>,
    By { who: caller, .. }: By<ReturnDecisions>,
    PathId(id): PathId,
    Body { value, digest }: Body<Refuse>,
) -> Result<Unversioned, Problem> {
    Ok(goods_return::refuse(&services, &caller, digest, GoodsReturnId(id), value).await?.into())
}

async fn withdraw(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<Withdraw>,
) -> Result<Unversioned, Problem> {
    Ok(goods_return::withdraw(&services, &caller, digest, GoodsReturnId(id), value).await?.into())
}

async fn send(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<Send>,
) -> Result<Unversioned, Problem> {
    Ok(goods_return::send(&services, &caller, digest, GoodsReturnId(id), value).await?.into())
}

async fn receive(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    PathId(id): PathId,
    Body { value, digest }: Body<Receive>,
) -> Result<Unversioned, Problem> {
    Ok(goods_return::receive(&services, &caller, digest, GoodsReturnId(id), value).await?.into())
}

async fn inspect(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    PathId(id): PathId,
    Body { value, digest }: Body<Inspect>,
) -> Result<Unversioned, Problem> {
    Ok(goods_return::inspect(&services, &caller, digest, GoodsReturnId(id), value).await?.into())
}

async fn credit(
    State(services): State<Services>,
    By { who: caller, .. }: By<ReturnCredits>,
    PathId(id): PathId,
    Body { value, digest }: Body<Credit>,
) -> Result<Unversioned, Problem> {
    Ok(goods_return::credit(&services, &caller, digest, GoodsReturnId(id), value).await?.into())
}

async fn replace(
    State(services): State<Services>,
    By { who: caller, .. }: By<ReturnCredits>,
    PathId(id): PathId,
    Body { value, digest }: Body<Replace>,
) -> Result<Unversioned, Problem> {
    Ok(goods_return::replace(&services, &caller, digest, GoodsReturnId(id), value).await?.into())
}

async fn close(
    State(services): State<Services>,
    By { who: caller, .. }: By<ReturnDecisions>,
    PathId(id): PathId,
    Body { value, digest }: Body<Close>,
) -> Result<Unversioned, Problem> {
    Ok(goods_return::close(&services, &caller, digest, GoodsReturnId(id), value).await?.into())
}
