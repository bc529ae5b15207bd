//! `/v1/offers`: what the seller proposes, and what the company answers.

mod answers;
mod contract;
mod drafts;
mod origin;

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{
    Note, OfCompany, Offer, OfferId, QuotationRequest,
    approval::Verdict,
    offer::{self, Origin, Stage},
    quotation_request,
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
            offering::{self, Intent},
        },
    },
    caller::Caller,
    failure::{Failure, problem},
    http::access::{By, Sales},
    http::{Nothing, Unversioned},
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
    let (today, now) = (services.clock.today(), services.clock.now());
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let by = caller.employee();
            async move {
                let offer = work.load::<Offer>(id).await?;
                let origin = offer.being_written().and_then(|draft| draft.writing.origin);
                let written = offer.being_written().filter(|draft| draft.stage == Stage::Written);
                let written = written.map(|draft| draft.writing.clone());
                if let Some(company) = offer.company() {
                    company_hierarchy::buying_term(work, company).await?;
                }
                let approval = match written {
                    Some(writing) => {
                        let proposal = writing.proposal;
                        let intent = Intent {
                            by,
                            net: proposal.most_net().map_err(offering::too_large)?,
                            lines: proposal.lines.iter().map(|line| line.line.clone()).collect(),
                            discount: writing.discount,
                            now,
                        };
                        offering::superiors_asked(work, intent).await?.map(Box::new)
                    }
                    None => None,
                };
                work.decide::<Offer>(id, offer::Command::Send { today, approval }).await?;
                answer_request(work, OfferId(id), origin).await?;
                work.answer(id);
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

/// An offer that was sent answers the request that it was made of.
async fn answer_request(
    work: &mut Work,
    offer: OfferId,
    origin: Option<Origin>,
) -> Result<(), Failure> {
    let is_sent = work.get::<Offer>(offer).is_some_and(|offer| offer.being_written().is_none());
    if let Some(Origin::Request { request }) = origin.filter(|_| is_sent) {
        let answer = quotation_request::Command::Answer { offer };
        work.decide::<QuotationRequest>(request, answer).await?;
    }
    Ok(())
}

async fn approve(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<Approve>,
) -> Result<Unversioned, Problem> {
    answer(&services, &caller, id, digest, value.into(), offer::Command::Approve).await
}

async fn disapprove(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<Refuse>,
) -> Result<Unversioned, Problem> {
    answer(&services, &caller, id, digest, value.into(), offer::Command::Disapprove).await
}

/// What a superior says to an offer.
async fn answer(
    services: &Services,
    caller: &Caller,
    id: Uuid,
    digest: [u8; 32],
    answer: Answer,
    command: fn(Verdict) -> offer::Command,
) -> Result<Unversioned, Problem> {
    let approver = Approver::of(services, caller, answer.having_read()?).await?;
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let approver = approver.clone();
            async move {
                let pending = work.load::<Offer>(id).await?.pending().ok().cloned();
                let verdict = approver.verdict(work, vec![], pending).await?;
                work.decide::<Offer>(id, command(verdict)).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

/// Why.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OfferReason")]
struct Reason {
    #[serde(default)]
    reason: Option<Note>,
}

async fn withdraw(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value: Reason { reason }, digest }: Body<Reason>,
) -> Result<Unversioned, Problem> {
    decide(&services, &caller, id, digest, offer::Command::Withdraw { reason }).await
}

/// For how long.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ExtendOffer")]
struct Extend {
    /// The last day on which it can be accepted.
    #[schemars(with = "String", extend("format" = "date"))]
    valid_until: Date,
}

async fn extend(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value: Extend { valid_until: until }, digest }: Body<Extend>,
) -> Result<Unversioned, Problem> {
    let today = services.clock.today();
    decide(&services, &caller, id, digest, offer::Command::Extend { until, today }).await
}

/// One command to an offer that the caller may know of.
async fn decide(
    services: &Services,
    caller: &Caller,
    id: Uuid,
    digest: [u8; 32],
    command: offer::Command,
) -> Result<Unversioned, Problem> {
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let (caller, command) = (caller.clone(), command.clone());
            async move {
                let offer = work.load::<Offer>(id).await?;
                must_know(&caller, offer)?;
                offering::decide(work, OfferId(id), command).await
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

/// A buyer does not know of an offer to another company, nor of one that was never sent.
pub(super) fn must_know(caller: &Caller, offer: &Offer) -> Result<(), Problem> {
    caller.must_see(offer.company())?;
    if caller.company().is_some() && !offer.is_disclosed() {
        return Err(Problem::not_found());
    }
    Ok(())
}
