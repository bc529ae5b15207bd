//! `/v1/offers`: send, approve, extend and withdraw offers; the company's answers.

mod answers;
mod contract;
mod drafts;

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::OfferId;
use service_kit::permissions::Sales;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        sales::{
            approvals::{Approve, Refuse},
            offer::{self, Extend, Reason},
        },
    },
    http::{Nothing, Unversioned, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .merge(answers::routes())
        .merge(contract::routes())
        .merge(drafts::routes())
        .api_route(
            "/v1/offers/{id}/send",
            post_with(send, |o| {
                o.id("offer.send").summary("Send the draft of an offer as its next revision")
            }),
        )
        .api_route(
            "/v1/offers/{id}/approve",
            post_with(approve, |o| {
                o.id("offer.approve").summary("Approve an offer before it is sent")
            }),
        )
        .api_route(
            "/v1/offers/{id}/disapprove",
            post_with(disapprove, |o| {
                o.id("offer.disapprove").summary("Disapprove an offer; it must be drafted again")
            }),
        )
        .api_route(
            "/v1/offers/{id}/withdraw",
            post_with(withdraw, |o| o.id("offer.withdraw").summary("Withdraw an offer")),
        )
        .api_route(
            "/v1/offers/{id}/extend",
            post_with(extend, |o| o.id("offer.extend").summary("Extend the validity of an offer")),
        )
}

async fn send(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Unversioned, Problem> {
    Ok(offer::send(&services, &caller, digest, OfferId(id)).await?.into())
}

async fn approve(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<Approve>,
) -> Result<Unversioned, Problem> {
    Ok(offer::approve(&services, &caller, digest, OfferId(id), value).await?.into())
}

async fn disapprove(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<Refuse>,
) -> Result<Unversioned, Problem> {
    Ok(offer::disapprove(&services, &caller, digest, OfferId(id), value).await?.into())
}

async fn withdraw(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<Reason>,
) -> Result<Unversioned, Problem> {
    Ok(offer::withdraw(&services, &caller, digest, OfferId(id), value).await?.into())
}

async fn extend(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<Extend>,
) -> Result<Unversioned, Problem> {
    Ok(offer::extend(&services, &caller, digest, OfferId(id), value).await?.into())
}
