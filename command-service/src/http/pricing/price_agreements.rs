//! `/v1/price-agreements`: price lists and contracts, and the prices in them.

use std::collections::BTreeSet;

use aide::axum::{ApiRouter, routing::post_with};
use axum::{extract::State, http::StatusCode};
use domain::{
    AgreementId, Price, PriceAgreement, PriceId, Selection,
    price::{self, Break, Days, Rule, Subject},
    price_agreement::{Command, Header},
};
use event_log::Work;
use futures::FutureExt;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{Body, PathId},
    problem::{FieldError, Problem},
};
use uuid::Uuid;

use crate::{
    Services,
    failure::{Failure, problem, refusal},
    http::access::{By, Pricing},
    http::{Created, Done, Nothing, catalogue::assortments, decide},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/price-agreements",
            post_with(draft, |o| {
                o.id("price_agreement.draft").summary("Draft a price list or a contract")
            }),
        )
        .api_route(
            "/v1/price-agreements/{id}/activate",
            post_with(activate, |o| {
                o.id("price_agreement.activate").summary("Activate a price agreement")
            }),
        )
        .api_route(
            "/v1/price-agreements/{id}/end",
            post_with(end, |o| o.id("price_agreement.end").summary("End a price agreement")),
        )
        .api_route(
            "/v1/price-agreements/{id}/shorten",
            post_with(shorten, |o| {
                o.id("price_agreement.shorten").summary("Shorten the validity of a price agreement")
            }),
        )
        .api_route(
            "/v1/price-agreements/{id}/prices",
            post_with(agree, |o| o.id("price.agree").summary("Agree on prices, all or none")),
        )
        .api_route(
            "/v1/price-agreements/{id}/prices/withdraw",
            post_with(withdraw, |o| o.id("price.withdraw").summary("Withdraw prices")),
        )
}

async fn draft(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Body { value: header, digest }: Body<Header>,
) -> Result<Created, Problem> {
    let id = AgreementId(Uuid::now_v7());
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let header = header.clone();
            async move {
                assortments::exist(work, &header.audience, Selection::Everything).await?;
                work.decide::<PriceAgreement>(id, Command::Draft { id, header }).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(Created::within("/v1/price-agreements", done.outcome))
}

async fn activate(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    decide::<PriceAgreement>(&services, &caller, id, digest, Command::Activate).await
}

async fn end(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    decide::<PriceAgreement>(&services, &caller, id, digest, Command::End).await
}

/// Until when.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ShortenPriceAgreement")]
struct Shorten {
    /// The last day: prices of another agreement may follow on the next.
    #[schemars(with = "String", extend("format" = "date"))]
    until: Date,
}

async fn shorten(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Shorten { until }, digest }: Body<Shorten>,
) -> Result<Done, Problem> {
    decide::<PriceAgreement>(&services, &caller, id, digest, Command::Shorten { until }).await
}

/// Prices.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AgreePrices")]
struct Agree {
    /// At most a thousand.
    prices: Vec<Agreed>,
}

/// What is paid for a product, those of a category, or everything.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AgreedPrice")]
pub(crate) struct Agreed {
    /// Of what.
    pub(crate) selection: Selection,
    /// On which days, within those of the agreement; all of them when not given.
    #[serde(default)]
    pub(crate) days: Days,
    /// From each quantity on.
    pub(crate) breaks: Vec<Break>,
}

/// How many prices a request may bring; more come as a sheet.
const MOST: usize = 1_000;

async fn agree(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Agree { prices }, digest }: Body<Agree>,
) -> Result<Done, Problem> {
    if prices.is_empty() || prices.len() > MOST {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "price.count_invalid")
            .field(FieldError::at("/prices", format!("there must be 1 to {MOST}"))));
    }
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let prices = prices.clone();
            async move { agree_on(work, AgreementId(id), prices).await }.boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

pub(crate) async fn agree_on(
    work: &mut Work,
    agreement: AgreementId,
    prices: Vec<Agreed>,
) -> Result<(), Failure> {
    let header = work.load::<PriceAgreement>(agreement).await?.open().map_err(|e| refusal(&e))?;
    let header = header.clone();
    let subjects: Vec<Subject> =
        prices.iter().map(|price| subject(&header, price.selection)).collect();
    let streams: Vec<Uuid> = subjects.iter().map(|of| PriceId::of(of).0).collect();
    work.load_many::<Price>(&streams).await?;
    assortments::load(work, prices.iter().map(|price| price.selection)).await?;
    let rules = streams.iter().filter_map(|id| work.get::<Price>(*id));
    let others: BTreeSet<Uuid> = rules.flat_map(Price::agreements).map(Uuid::from).collect();
    work.load_many::<PriceAgreement>(&others).await?;
    let aside = agreements_aside(work, &header, others.into_iter().map(AgreementId));
    for (index, (of, Agreed { selection, days, breaks })) in
        subjects.into_iter().zip(prices).enumerate()
    {
        let at = |error: Problem| error.within(&format!("/prices/{index}"));
        assortments::exist(work, &header.audience, selection).await.map_err(
            |failure| match failure {
                Failure::Refused(problem) => Failure::from(at(*problem)),
                failure @ Failure::Log(_) => failure,
            },
        )?;
        let days = days.within(header.days()).ok_or_else(|| {
            at(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "price.outside_agreement")
                .field(FieldError::at("/days", "the agreement holds on none of these days")))
        })?;
        let rule = Rule { agreement, days, breaks };
        let command = price::Command::Agree { of: of.clone(), rule, aside: aside.clone() };
        let decided = work.decide::<Price>(PriceId::of(&of), command).await;
        decided.map_err(Failure::from).map_err(|failure| match failure {
            Failure::Refused(problem) => {
                let detail = problem.words().to_owned();
                at(problem.field(FieldError::at("", detail))).into()
            }
            failure @ Failure::Log(_) => failure,
        })?;
    }
    work.answer(agreement);
    Ok(())
}

/// Those of some agreements whose rules are never of equal rank with those of another: that have
/// ended, or hold on other days, or are promotions when it is none, or the other way round.
pub(crate) fn agreements_aside(
    work: &Work,
    header: &Header,
    others: impl Iterator<Item = AgreementId>,
) -> BTreeSet<AgreementId> {
    let alike = |id: &AgreementId| {
        let other = work.get::<PriceAgreement>(*id).and_then(|other| other.open().ok());
        other.is_some_and(|other| {
            other.promotion == header.promotion && other.days().meet(header.days())
        })
    };
    others.filter(|id| !alike(id)).collect()
}

/// Of what they are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WithdrawPrices")]
struct Withdraw {
    selection: Selection,
}

async fn withdraw(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Withdraw { selection }, digest }: Body<Withdraw>,
) -> Result<Done, Problem> {
    let agreement = AgreementId(id);
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            async move {
                let agreed = work.load::<PriceAgreement>(agreement).await?;
                let header = agreed.open().map_err(|error| refusal(&error))?;
                let of = subject(header, selection);
                let stream = PriceId::of(&of);
                work.decide::<Price>(stream, price::Command::Withdraw { of, agreement }).await?;
                work.answer(agreement);
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

fn subject(header: &Header, selection: Selection) -> Subject {
    Subject { audience: header.audience.clone(), selection, currency: header.currency }
}
