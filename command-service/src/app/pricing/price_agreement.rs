//! Price agreements: price lists, contracts and promotions, and their prices.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use domain::{
    AgreementId, Price, PriceAgreement, PriceId, Selection,
    price::{self, Break, Days, Rule, Subject},
    price_agreement::{Command, Header},
};
use event_log::{Outcome, Work};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use crate::{
    app::{Services, catalogue::assortment, deciding},
    caller::Caller,
    failure::{Failure, refusal},
};

/// Drafts a price list or a contract.
pub async fn draft(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    header: Header,
) -> Result<Outcome, Problem> {
    let id = AgreementId(Uuid::now_v7());
    let header = &header;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                assortment::exist(work, &header.audience, Selection::Everything).await?;
                work.decide::<PriceAgreement>(id, Command::Draft { id, header: header.clone() })
                    .await?;
                Ok(())
            })
        })
        .await
}

/// Activates a price agreement.
pub async fn activate(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: AgreementId,
) -> Result<Outcome, Problem> {
    services.decide::<PriceAgreement>(caller, digest, id, Command::Activate).await
}

/// Ends a price agreement.
pub async fn end(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: AgreementId,
) -> Result<Outcome, Problem> {
    services.decide::<PriceAgreement>(caller, digest, id, Command::End).await
}

/// The new last day.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ShortenPriceAgreement")]
pub struct Shorten {
    /// The last day; another agreement may begin on the next day.
    #[schemars(with = "String", extend("format" = "date"))]
    pub until: Date,
}

/// Shortens the validity of a price agreement.
pub async fn shorten(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: AgreementId,
    Shorten { until }: Shorten,
) -> Result<Outcome, Problem> {
    services.decide::<PriceAgreement>(caller, digest, id, Command::Shorten { until }).await
}

/// Prices to agree on.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AgreePrices")]
pub struct Agree {
    /// At most 1,000.
    pub prices: Vec<Agreed>,
}

/// The price of a product, of the products of a category, or of all products.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AgreedPrice")]
pub struct Agreed {
    /// The products.
    pub selection: Selection,
    /// The days of the price, within those of the agreement; all of them when not given.
    #[serde(default)]
    pub days: Days,
    /// The prices per unit from each quantity on.
    pub breaks: Vec<Break>,
}

/// The maximum number of prices per request; larger requests are imported as a sheet.
const MOST: usize = 1_000;

/// Agrees on prices, all or none.
pub async fn agree(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: AgreementId,
    Agree { prices }: Agree,
) -> Result<Outcome, Problem> {
    if prices.is_empty() || prices.len() > MOST {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "price.count_invalid")
            .field(FieldError::at("/prices", format!("there must be 1 to {MOST}"))));
    }
    let prices = &prices;
    services.execute(caller, digest, &|work| deciding(agree_on(work, id, prices.clone()))).await
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
    assortment::load(work, prices.iter().map(|price| price.selection)).await?;
    let rules = streams.iter().filter_map(|id| work.get::<Price>(*id));
    let others: BTreeSet<Uuid> = rules.flat_map(Price::agreements).map(Uuid::from).collect();
    work.load_many::<PriceAgreement>(&others).await?;
    let aside = agreements_aside(work, &header, others.into_iter().map(AgreementId));
    for (index, (of, Agreed { selection, days, breaks })) in
        subjects.into_iter().zip(prices).enumerate()
    {
        let at = |error: Problem| error.within(&format!("/prices/{index}"));
        assortment::exist(work, &header.audience, selection).await.map_err(
            |failure| match failure {
                Failure::Refused(problem) => Failure::from(at(*problem)),
                failure @ Failure::Log(_) => failure,
            },
        )?;
        let days = days.within(header.days()).ok_or_else(|| {
            at(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "price.outside_agreement")
                .field(FieldError::at("/days", "the agreement is not valid on any of these days")))
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

/// The agreements whose rules cannot be of equal rank with those of another one: they have ended,
/// are valid on other days, or only one of the two is a promotion.
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

/// The selection of the prices.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WithdrawPrices")]
pub struct Withdraw {
    pub selection: Selection,
}

/// Withdraws prices.
pub async fn withdraw(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: AgreementId,
    Withdraw { selection }: Withdraw,
) -> Result<Outcome, Problem> {
    let agreement = id;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let agreed = work.load::<PriceAgreement>(agreement).await?;
                let header = agreed.open().map_err(|error| refusal(&error))?;
                let of = subject(header, selection);
                let stream = PriceId::of(&of);
                work.decide::<Price>(stream, price::Command::Withdraw { of, agreement }).await?;
                work.answer(agreement);
                Ok(())
            })
        })
        .await
}

fn subject(header: &Header, selection: Selection) -> Subject {
    Subject { audience: header.audience.clone(), selection, currency: header.currency }
}
