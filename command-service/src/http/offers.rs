//! `/v1/offers`: what the seller proposes, and what the company answers.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{CompanyId, Currency, Note, OfCompany, Offer, OfferId, PaymentTerm, offer};
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

use super::{Created, Done, Nothing};
use crate::{
    Services,
    caller::{Buyers, By, Caller, Sales},
    failure::{Failure, problem, refusal},
    firms,
    lines::{self, LineRequest, Prices, Sale},
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
                let proposal = proposal(work, draft, today).await?;
                work.decide::<Offer>(id, offer::Command::Draft { proposal }).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(executed.outcome)
}

async fn proposal(work: &mut Work, draft: Draft, today: Date) -> Result<offer::Proposal, Failure> {
    let Draft { company, currency, lines, valid_until, payment_term } = draft;
    let own = firms::buying_term(work, company).await?;
    let sale = Sale { company, currency, prices: Prices::Agreed, on: today };
    Ok(offer::Proposal {
        company,
        currency,
        lines: lines::price(work, &lines, sale).await?,
        payment_term: payment_term.unwrap_or(own),
        valid_until,
    })
}

async fn send(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    let today = services.clock.today();
    decide(&services, &caller, id, digest, offer::Command::Send { today }).await
}

async fn accept(
    State(services): State<Services>,
    By { who: caller, .. }: By<Buyers>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    let (by, today) = (caller.actor(), services.clock.today());
    decide(&services, &caller, id, digest, offer::Command::Accept { by, today }).await
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
                if caller.company().is_some() && matches!(offer, Offer::Drafted(_)) {
                    return Err(Problem::not_found().into());
                }
                let buys =
                    matches!(command, offer::Command::Send { .. } | offer::Command::Accept { .. });
                if let Some(company) = company.filter(|_| buys) {
                    firms::buying_term(work, company).await?;
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
