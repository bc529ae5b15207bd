//! Offers: send, approve, extend and withdraw; the company's answers are in the submodules.

pub mod answers;
pub mod contract;
pub mod drafts;
mod origin;

use domain::{
    Note, OfCompany, Offer, OfferId, QuotationRequest,
    approval::Verdict,
    offer::{self, Origin, Stage},
    quotation_request,
};
use event_log::{Outcome, Work};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;

use crate::{
    app::{
        Services, deciding,
        parties::company_hierarchy,
        sales::{
            approvals::{Answer, Approve, Approver, Refuse},
            offering::{self, Intent},
        },
    },
    caller::Caller,
    failure::Failure,
};

/// Sends the draft of an offer as its next revision.
pub async fn send(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OfferId,
) -> Result<Outcome, Problem> {
    let (today, now) = (services.clock.today(), services.clock.now());
    let by = caller.employee();
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
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
                        offering::approval_needed(work, intent).await?.map(Box::new)
                    }
                    None => None,
                };
                work.decide::<Offer>(id, offer::Command::Send { today, approval }).await?;
                answer_request(work, id, origin).await?;
                work.answer(id);
                Ok(())
            })
        })
        .await
}

/// Marks the quotation request of a sent offer as answered.
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

/// Approves an offer before it is sent.
pub async fn approve(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OfferId,
    request: Approve,
) -> Result<Outcome, Problem> {
    answer(services, caller, digest, id, request.into(), offer::Command::Approve).await
}

/// Disapproves an offer; it must be drafted again.
pub async fn disapprove(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OfferId,
    request: Refuse,
) -> Result<Outcome, Problem> {
    answer(services, caller, digest, id, request.into(), offer::Command::Disapprove).await
}

/// Records the answer of an approver to an offer.
async fn answer(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OfferId,
    answer: Answer,
    command: fn(Verdict) -> offer::Command,
) -> Result<Outcome, Problem> {
    let approver = Approver::of(services, caller, answer.having_read()?).await?;
    let approver = &approver;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let pending = work.load::<Offer>(id).await?.pending().ok().cloned();
                let verdict = approver.verdict(work, vec![], pending).await?;
                work.decide::<Offer>(id, command(verdict)).await?;
                Ok(())
            })
        })
        .await
}

/// The reason.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OfferReason")]
pub struct Reason {
    #[serde(default)]
    pub reason: Option<Note>,
}

/// Withdraws an offer.
pub async fn withdraw(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OfferId,
    Reason { reason }: Reason,
) -> Result<Outcome, Problem> {
    decide(services, caller, digest, id, offer::Command::Withdraw { reason }).await
}

/// The new validity.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ExtendOffer")]
pub struct Extend {
    /// The last day on which it can be accepted.
    #[schemars(with = "String", extend("format" = "date"))]
    pub valid_until: Date,
}

/// Extends the validity of an offer.
pub async fn extend(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OfferId,
    Extend { valid_until: until }: Extend,
) -> Result<Outcome, Problem> {
    let today = services.clock.today();
    decide(services, caller, digest, id, offer::Command::Extend { until, today }).await
}

/// Gives one command to an offer that the caller may see.
async fn decide(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OfferId,
    command: offer::Command,
) -> Result<Outcome, Problem> {
    let command = &command;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let offer = work.load::<Offer>(id).await?;
                must_know(caller, offer)?;
                offering::decide(work, id, command.clone()).await
            })
        })
        .await
}

/// A buyer cannot see offers to other companies or offers that were never sent.
pub(super) fn must_know(caller: &Caller, offer: &Offer) -> Result<(), Problem> {
    caller.must_see(offer.company())?;
    if caller.company().is_some() && !offer.is_disclosed() {
        return Err(Problem::not_found());
    }
    Ok(())
}
