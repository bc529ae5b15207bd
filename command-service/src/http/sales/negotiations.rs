//! `/v1/negotiations`: how the seller and a company come to agree on an offer.

mod rounds;

use std::collections::BTreeSet;

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{
    Negotiation, NegotiationId, Note, Offer, OfferId, Side,
    approval::Verdict,
    negotiation::{self, Topic},
    offer,
};
use event_log::Work;
use futures::FutureExt;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Services,
    app::{
        parties::company_hierarchy,
        sales::{
            approvals::{Answer, Approve, Approver, Refuse},
            negotiating::{self, may_talk},
        },
    },
    caller::Caller,
    failure::{Failure, problem, refusal},
    http::access::{Approving, By, Ordering},
    http::{Nothing, Unversioned},
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
    By { who: caller, .. }: By<Approving>,
    PathId(id): PathId,
    Body { value, digest }: Body<Approve>,
) -> Result<Unversioned, Problem> {
    let command = |side, verdict| negotiation::Command::Approve { side, verdict };
    answer(&services, &caller, id, digest, value.into(), command).await
}

async fn disapprove(
    State(services): State<Services>,
    By { who: caller, .. }: By<Approving>,
    PathId(id): PathId,
    Body { value, digest }: Body<Refuse>,
) -> Result<Unversioned, Problem> {
    let command = |side, verdict| negotiation::Command::Disapprove { side, verdict };
    answer(&services, &caller, id, digest, value.into(), command).await
}

/// What a superior of one side, for a company also one of a firm above it, says to what its
/// employee wants to propose.
async fn answer(
    services: &Services,
    caller: &Caller,
    id: Uuid,
    digest: [u8; 32],
    answer: Answer,
    command: fn(Side, Verdict) -> negotiation::Command,
) -> Result<Unversioned, Problem> {
    let approver = Approver::of(services, caller, answer.having_read()?).await?;
    let today = services.clock.today();
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let (caller, approver) = (caller.clone(), approver.clone());
            async move {
                let negotiation = work.load::<Negotiation>(id).await?;
                let pending = negotiation.pending(caller.side()).ok().cloned();
                let company = domain::OfCompany::company(negotiation);
                let company = company.ok_or_else(Problem::not_found)?;
                let firms = match caller.side() {
                    Side::Seller => vec![],
                    Side::Buyer => {
                        let firms = company_hierarchy::line_of(work, company).await?;
                        if !firms.iter().any(|firm| caller.company() == Some(firm.0)) {
                            return Err(Problem::not_found().into());
                        }
                        firms
                    }
                };
                let verdict = approver.verdict(work, firms, pending).await?;
                let command = command(caller.side(), verdict);
                if matches!(command, negotiation::Command::Approve { .. }) {
                    company_hierarchy::buying_term(work, company).await?;
                }
                negotiating::decide(work, NegotiationId(id), command, today).await
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

/// About what.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReopenPoints")]
struct Reopen {
    /// Lines by their number.
    #[serde(default)]
    lines: BTreeSet<u32>,
    /// What holds for all lines.
    #[serde(default)]
    conditions: bool,
}

async fn reopen(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value: Reopen { lines, conditions }, digest }: Body<Reopen>,
) -> Result<Unversioned, Problem> {
    let topics = lines.into_iter().map(|line| Topic::Line { line });
    let topics = topics.chain(conditions.then_some(Topic::Conditions {})).collect();
    let (side, by) = (caller.side(), caller.actor());
    let command = negotiation::Command::Reopen { side, by, topics };
    decide(&services, &caller, id, digest, command).await
}

/// Why.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BreakOffNegotiation")]
struct BreakOff {
    #[serde(default)]
    reason: Option<Note>,
}

async fn break_off(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value: BreakOff { reason }, digest }: Body<BreakOff>,
) -> Result<Unversioned, Problem> {
    let (side, by) = (caller.side(), caller.actor());
    let command = negotiation::Command::BreakOff { side, by, reason };
    decide(&services, &caller, id, digest, command).await
}

async fn resume(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Unversioned, Problem> {
    let today = services.clock.today();
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let caller = caller.clone();
            async move {
                let talks = may_talk(work, &caller, id).await?;
                let (offer, revision) = talks
                    .map(|talks| (talks.offer, talks.revision))
                    .ok_or_else(|| refusal(&negotiation::Error::Closed))?;
                let (side, by) = (caller.side(), caller.actor());
                let command = negotiation::Command::Resume { side, by };
                work.decide::<Negotiation>(id, command).await?;
                go_on(work, offer, revision, NegotiationId(id), today).await
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

/// The offer must stand as it stood.
async fn go_on(
    work: &mut Work,
    offer: OfferId,
    revision: u32,
    negotiation: NegotiationId,
    today: Date,
) -> Result<(), Failure> {
    let command = offer::Command::Negotiate { negotiation, revision, today };
    work.decide::<Offer>(offer, command).await?;
    work.answer(negotiation);
    Ok(())
}

/// One command to a negotiation of the caller's.
async fn decide(
    services: &Services,
    caller: &Caller,
    id: Uuid,
    digest: [u8; 32],
    command: negotiation::Command,
) -> Result<Unversioned, Problem> {
    let today = services.clock.today();
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let (caller, command) = (caller.clone(), command.clone());
            async move {
                may_talk(work, &caller, id).await?;
                negotiating::decide(work, NegotiationId(id), command, today).await
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}
