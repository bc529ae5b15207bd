//! Negotiations: propose, agree, reopen, break off and resume.

pub mod rounds;

use std::collections::BTreeSet;

use domain::{
    Negotiation, NegotiationId, Note, Offer, OfferId, Side,
    approval::Verdict,
    negotiation::{self, Topic},
    offer,
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
            negotiating::{self, may_negotiate},
        },
    },
    caller::Caller,
    failure::{Failure, refusal},
};

/// Approves a proposal of the caller's own side.
pub async fn approve(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: NegotiationId,
    request: Approve,
) -> Result<Outcome, Problem> {
    let command = |side, verdict| negotiation::Command::Approve { side, verdict };
    answer(services, caller, digest, id, request.into(), command).await
}

/// Disapproves a proposal of the caller's own side.
pub async fn disapprove(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: NegotiationId,
    request: Refuse,
) -> Result<Outcome, Problem> {
    let command = |side, verdict| negotiation::Command::Disapprove { side, verdict };
    answer(services, caller, digest, id, request.into(), command).await
}

/// Records the answer of an approver of one side to a proposal of its employee. Approvers of a
/// company may also belong to a company above it.
async fn answer(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: NegotiationId,
    answer: Answer,
    command: fn(Side, Verdict) -> negotiation::Command,
) -> Result<Outcome, Problem> {
    let approver = Approver::of(services, caller, answer.having_read()?).await?;
    let today = services.clock.today();
    let approver = &approver;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let negotiation = work.load::<Negotiation>(id).await?;
                let pending = negotiation.pending(caller.side()).ok().cloned();
                let company = domain::OfCompany::company(negotiation);
                let company = company.ok_or_else(Problem::not_found)?;
                let companies = match caller.side() {
                    Side::Seller => vec![],
                    Side::Buyer => {
                        let companies = company_hierarchy::line_of(work, company).await?;
                        if !companies.iter().any(|company| caller.company() == Some(company.0)) {
                            return Err(Problem::not_found().into());
                        }
                        companies
                    }
                };
                let verdict = approver.verdict(work, companies, pending).await?;
                let command = command(caller.side(), verdict);
                if matches!(command, negotiation::Command::Approve { .. }) {
                    company_hierarchy::buying_term(work, company).await?;
                }
                negotiating::decide(work, id, command, today).await
            })
        })
        .await
}

/// The points to reopen.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReopenPoints")]
pub struct Reopen {
    /// Lines by number.
    #[serde(default)]
    pub lines: BTreeSet<u32>,
    /// Conditions of the whole offer.
    #[serde(default)]
    pub conditions: bool,
}

/// Requests or agrees to reopen agreed points.
pub async fn reopen(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: NegotiationId,
    Reopen { lines, conditions }: Reopen,
) -> Result<Outcome, Problem> {
    let topics = lines.into_iter().map(|line| Topic::Line { line });
    let topics = topics.chain(conditions.then_some(Topic::Conditions {})).collect();
    let (side, by) = (caller.side(), caller.actor());
    let command = negotiation::Command::Reopen { side, by, topics };
    decide(services, caller, digest, id, command).await
}

/// The reason.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BreakOffNegotiation")]
pub struct BreakOff {
    #[serde(default)]
    pub reason: Option<Note>,
}

/// Breaks off a negotiation; the offer stays open.
pub async fn break_off(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: NegotiationId,
    BreakOff { reason }: BreakOff,
) -> Result<Outcome, Problem> {
    let (side, by) = (caller.side(), caller.actor());
    let command = negotiation::Command::BreakOff { side, by, reason };
    decide(services, caller, digest, id, command).await
}

/// Resumes a negotiation that was broken off.
pub async fn resume(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: NegotiationId,
) -> Result<Outcome, Problem> {
    let today = services.clock.today();
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let negotiation = may_negotiate(work, caller, id).await?;
                let (offer, revision) = negotiation
                    .map(|negotiation| (negotiation.offer, negotiation.revision))
                    .ok_or_else(|| refusal(&negotiation::Error::Closed))?;
                let (side, by) = (caller.side(), caller.actor());
                let command = negotiation::Command::Resume { side, by };
                work.decide::<Negotiation>(id, command).await?;
                go_on(work, offer, revision, id, today).await
            })
        })
        .await
}

/// The offer must be open, at the same revision.
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

/// Gives one command to a negotiation that the caller may see.
async fn decide(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: NegotiationId,
    command: negotiation::Command,
) -> Result<Outcome, Problem> {
    let today = services.clock.today();
    let command = &command;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                may_negotiate(work, caller, id).await?;
                negotiating::decide(work, id, command.clone(), today).await
            })
        })
        .await
}
