//! `/v1/offers`: what the seller proposes, and what the company answers.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{
    ApprovalRules, ApprovalRulesId, CompanyId, Currency, Employee, EmployeeId, Note, OfCompany,
    Offer, OfferId, PaymentTerm, Percent, Role,
    approval::{Matter, Reason, Request, Verdict},
    offer,
    order::Destination,
};
use event_log::Work;
use futures::FutureExt;
use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};
use uuid::Uuid;

use super::{
    Created, Done, Nothing,
    orders::{Approve, Refuse},
};
use crate::{
    Services,
    caller::{Buyers, By, Caller, Pricing, Sales},
    failure::{Failure, problem, refusal},
    firms,
    lines::{self, LineRequest, Priced, Prices, Sale},
    ordering,
    superiors::Word,
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/offers",
            post_with(draft, |o| o.id("offer.draft").summary("Write an offer")),
        )
        .api_route(
            "/v1/offers/{id}/draft",
            post_with(redraft, |o| {
                o.id("offer.redraft").summary("Write an offer anew before it is sent")
            }),
        )
        .api_route(
            "/v1/offers/{id}/send",
            post_with(send, |o| o.id("offer.send").summary("Put an offer before the company")),
        )
        .api_route(
            "/v1/offers/{id}/approve",
            post_with(approve, |o| o.id("offer.approve").summary("Agree that an offer is sent")),
        )
        .api_route(
            "/v1/offers/{id}/disapprove",
            post_with(disapprove, |o| {
                o.id("offer.disapprove").summary("Do not agree: it must be written anew")
            }),
        )
        .api_route(
            "/v1/offers/{id}/accept",
            post_with(accept, |o| {
                o.id("offer.accept").summary("Accept an offer, which places its order")
            }),
        )
        .api_route(
            "/v1/offers/{id}/reject",
            post_with(reject, |o| o.id("offer.reject").summary("Reject an offer")),
        )
        .api_route(
            "/v1/offers/{id}/withdraw",
            post_with(withdraw, |o| o.id("offer.withdraw").summary("Take an offer back")),
        )
}

/// What is proposed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Draft {
    company: CompanyId,
    currency: Currency,
    lines: Vec<LineRequest>,
    /// The last day on which it can be accepted.
    #[schemars(with = "String", extend("format" = "date"))]
    valid_until: Date,
    /// The company's own term when not given.
    #[serde(default)]
    payment_term: Option<PaymentTerm>,
}

async fn draft(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    Body { value, digest }: Body<Draft>,
) -> Result<Created, Problem> {
    let id = OfferId(Uuid::now_v7());
    let outcome = write(&services, &caller, id, digest, value).await?;
    Ok(Created::within("/v1/offers", outcome))
}

async fn redraft(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<Draft>,
) -> Result<Done, Problem> {
    let offer = services.log.load::<Offer>(id).await.map_err(Failure::from)?;
    if offer.version == 0 {
        return Err(refusal(&offer::Error::Undrafted));
    }
    Ok(write(&services, &caller, OfferId(id), digest, value).await?.into())
}

async fn write(
    services: &Services,
    caller: &Caller,
    id: OfferId,
    digest: [u8; 32],
    draft: Draft,
) -> Result<event_log::Outcome, Problem> {
    let today = services.clock.today();
    let executed = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let draft = draft.clone();
            async move {
                let (proposal, discount) = proposal(work, draft, today).await?;
                work.decide::<Offer>(id, offer::Command::Draft { proposal, discount }).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(executed.outcome)
}

async fn proposal(
    work: &mut Work,
    draft: Draft,
    today: Date,
) -> Result<(offer::Proposal, Option<Percent>), Failure> {
    let Draft { company, currency, lines, valid_until, payment_term } = draft;
    let own = firms::buying_term(work, company).await?;
    let sale = Sale { company, currency, prices: Prices::Agreed, on: today };
    let Priced { lines, discount } = lines::price(work, &lines, sale).await?;
    let payment_term = payment_term.unwrap_or(own);
    Ok((offer::Proposal { company, currency, lines, payment_term, valid_until }, discount))
}

async fn send(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    let (today, now) = (services.clock.today(), services.clock.now());
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let sender = caller.employee();
            async move {
                let offer = work.load::<Offer>(id).await?;
                let drafted = match offer {
                    Offer::Drafted { proposal, discount } => Some((proposal.clone(), *discount)),
                    _ => None,
                };
                if let Some(company) = offer.company() {
                    firms::buying_term(work, company).await?;
                }
                let approval = match drafted {
                    Some((proposal, discount)) => {
                        needed(work, &proposal, discount, (sender, now)).await?.map(Box::new)
                    }
                    None => None,
                };
                work.decide::<Offer>(id, offer::Command::Send { today, approval }).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

/// Who must agree before somebody sends an offer with such a discount.
async fn needed(
    work: &mut Work,
    proposal: &offer::Proposal,
    discount: Option<Percent>,
    (sender, now): (Option<EmployeeId>, Timestamp),
) -> Result<Option<Request>, Failure> {
    let mut limits = Vec::new();
    if let Some(sender) = sender {
        let sender = work.load::<Employee>(sender).await?.person().map_err(|e| refusal(&e))?;
        let beyond = discount.filter(|discount| !sender.discount.allows(*discount));
        limits.extend(beyond.map(|percent| Reason::Discount { percent }));
    }
    let rules = work.load::<ApprovalRules>(ApprovalRulesId::of(None)).await?;
    let rules = rules.rules().unwrap_or_default().to_vec();
    let matter = Matter {
        net: ordering::net(&proposal.lines, proposal.currency)?,
        categories: ordering::categories(work, &rules, &proposal.lines).await?,
        address: None,
        cost_centre: None,
        discount,
    };
    Ok(Request::about(&matter, &rules, limits, Role::SalesManager, (sender, now)))
}

async fn approve(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Approve { step, note }, digest }: Body<Approve>,
) -> Result<Done, Problem> {
    answer(&services, &caller, id, digest, (step, note), offer::Command::Approve).await
}

async fn disapprove(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Refuse { step, reason }, digest }: Body<Refuse>,
) -> Result<Done, Problem> {
    answer(&services, &caller, id, digest, (step, Some(reason)), offer::Command::Disapprove).await
}

/// What a superior says to an offer.
async fn answer(
    services: &Services,
    caller: &Caller,
    id: Uuid,
    digest: [u8; 32],
    (step, note): (u32, Option<Note>),
    command: fn(Verdict) -> offer::Command,
) -> Result<Done, Problem> {
    let word = Word::of(services, caller, step, note).await?;
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let word = word.clone();
            async move {
                let verdict = word.verdict(work, vec![]).await?;
                work.decide::<Offer>(id, command(verdict)).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

/// Where the goods will go, and who pays for them, as far as that is said.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Accept {
    #[serde(default)]
    destination: Destination,
}

async fn accept(
    State(services): State<Services>,
    By { who: caller, .. }: By<Buyers>,
    PathId(id): PathId,
    Body { value: Accept { destination }, digest }: Body<Accept>,
) -> Result<Done, Problem> {
    let (by, today) = (caller.actor(), services.clock.today());
    decide(&services, &caller, id, digest, offer::Command::Accept { by, today, destination }).await
}

/// Why not.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reject {
    #[serde(default)]
    reason: Option<Note>,
}

async fn reject(
    State(services): State<Services>,
    By { who: caller, .. }: By<Buyers>,
    PathId(id): PathId,
    Body { value: Reject { reason }, digest }: Body<Reject>,
) -> Result<Done, Problem> {
    let by = caller.actor();
    decide(&services, &caller, id, digest, offer::Command::Reject { by, reason }).await
}

async fn withdraw(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    decide(&services, &caller, id, digest, offer::Command::Withdraw).await
}

async fn decide(
    services: &Services,
    caller: &Caller,
    id: Uuid,
    digest: [u8; 32],
    command: offer::Command,
) -> Result<Done, Problem> {
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let (caller, command) = (caller.clone(), command.clone());
            async move {
                let offer = work.load::<Offer>(id).await?;
                caller.must_see(offer.company())?;
                let company = offer.company();
                // A buyer does not know of an offer that was not sent.
                if caller.company().is_some() && !offer.is_disclosed() {
                    return Err(Problem::not_found().into());
                }
                if let (Some(company), offer::Command::Accept { destination, .. }) =
                    (company, &command)
                {
                    firms::buying_term(work, company).await?;
                    ordering::admit(work, company, caller.employee(), destination).await?;
                }
                work.decide::<Offer>(id, command).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}
