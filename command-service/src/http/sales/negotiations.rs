//! `/v1/negotiations`: approve, reopen, break off and resume negotiations.

mod rounds;

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::NegotiationId;
use service_kit::permissions::{Approvals, Ordering};
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        sales::{
            approvals::{Approve, Refuse},
            negotiation::{self, BreakOff, Reopen},
        },
    },
    http::{Nothing, Unversioned, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .merge(rounds::routes())
        .api_route(
            "/v1/negotiations/{id}/approve",
            post_with(approve, |o| {
                o.id("negotiation.approve").summary("Approve a proposal of one's own side")
            }),
        )
        .api_route(
            "/v1/negotiations/{id}/disapprove",
            post_with(disapprove, |o| {
                o.id("negotiation.disapprove").summary("Disapprove a proposal of one's own side")
            }),
        )
        .api_route(
            "/v1/negotiations/{id}/reopen",
            post_with(reopen, |o| {
                o.id("negotiation.reopen")
                    .summary("Ask to reopen agreed points, or agree to reopen them")
            }),
        )
        .api_route(
            "/v1/negotiations/{id}/break-off",
            post_with(break_off, |o| {
                o.id("negotiation.break_off")
                    .summary("Break off a negotiation; the offer stays open")
            }),
        )
        .api_route(
            "/v1/negotiations/{id}/resume",
            post_with(resume, |o| {
                o.id("negotiation.resume").summary("Resume a negotiation that was broken off")
            }),
        )
}

async fn approve(
    State(services): State<Services>,
    By { who: caller, .. }: By<Approvals>,
    PathId(id): PathId,
    Body { value, digest }: Body<Approve>,
) -> Result<Unversioned, Problem> {
    Ok(negotiation::approve(&services, &caller, digest, NegotiationId(id), value).await?.into())
}

async fn disapprove(
    State(services): State<Services>,
    By { who: caller, .. }: By<Approvals>,
    PathId(id): PathId,
    Body { value, digest }: Body<Refuse>,
) -> Result<Unversioned, Problem> {
    Ok(negotiation::disapprove(&services, &caller, digest, NegotiationId(id), value).await?.into())
}

async fn reopen(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<Reopen>,
) -> Result<Unversioned, Problem> {
    Ok(negotiation::reopen(&services, &caller, digest, NegotiationId(id), value).await?.into())
}

async fn break_off(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<BreakOff>,
) -> Result<Unversioned, Problem> {
    Ok(negotiation::break_off(&services, &caller, digest, NegotiationId(id), value).await?.into())
}

async fn resume(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Unversioned, Problem> {
    Ok(negotiation::resume(&services, &caller, digest, NegotiationId(id)).await?.into())
}
