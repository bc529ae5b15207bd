//! How prices that both agreed on come to hold in future: as a contract, in one command.

use std::collections::BTreeMap;

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{
    AgreementId, Audience, Name, Offer, OfferId, PriceAgreement, ProductId, Selection,
    offer::{self, OfferedLine, Proposal},
    price::{Break, Days, Value},
    price_agreement::{Command, Header},
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
    app::{
        Services,
        pricing::price_agreement::{Agreed, agree_on},
    },
    failure::{Failure, problem, refusal},
    http::{
        Created,
        access::{By, Pricing},
    },
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new().api_route(
        "/v1/offers/{id}/contract",
        post_with(contract, |o| {
            o.id("offer.contract").summary("Make a contract of the agreed prices of an offer")
        }),
    )
}

/// For when the prices hold.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OfferContract")]
struct Contract {
    /// What the seller calls it.
    name: Name,
    /// The first day; at once when not given.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    from: Option<Date>,
    /// The last day; until it is ended when not given.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    until: Option<Date>,
    /// Whether what the company has earned by its purchases comes off the prices.
    #[serde(default)]
    discounts: bool,
}

async fn contract(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Contract>,
) -> Result<Created, Problem> {
    let agreement = AgreementId(Uuid::now_v7());
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let value = value.clone();
            async move { agree(work, OfferId(id), agreement, value).await }.boxed()
        })
        .await
        .map_err(problem)?;
    Ok(Created::within("/v1/price-agreements", done.outcome))
}

async fn agree(
    work: &mut Work,
    offer: OfferId,
    id: AgreementId,
    contract: Contract,
) -> Result<(), Failure> {
    let offer = work.load::<Offer>(offer).await?;
    let prices = prices(offer.agreed_on().map_err(|error| refusal(&error))?);
    let agreed = offer.revision().map(|revision| &revision.proposal);
    let Proposal { company, currency, .. } = *agreed.ok_or_else(Problem::not_found)?;
    let Contract { name, from, until, discounts } = contract;
    let header = Header {
        name,
        audience: Audience::Company { company },
        currency,
        from,
        until,
        yields: false,
        promotion: false,
        discounts,
    };
    work.decide::<PriceAgreement>(id, Command::Draft { id, header }).await?;
    agree_on(work, id, prices).await?;
    work.decide::<PriceAgreement>(id, Command::Activate).await?;
    work.answer(id);
    Ok(())
}

/// Of each product, what it costs in the quantities that were agreed on: in the least of them, and
/// in any smaller one, the price of the least.
fn prices(lines: Vec<&OfferedLine>) -> Vec<Agreed> {
    let mut steps: BTreeMap<ProductId, BTreeMap<_, _>> = BTreeMap::new();
    for OfferedLine { line, breaks, .. } in lines {
        let offered = offer::Break { at_least: line.quantity, unit_price: line.unit_price };
        let of_product = steps.entry(line.product).or_default();
        for step in breaks.iter().copied().chain([offered]) {
            of_product.entry(step.at_least).or_insert(step.unit_price);
        }
    }
    let of_product = |(product, steps): (ProductId, BTreeMap<_, _>)| Agreed {
        selection: Selection::Product { product },
        days: Days::default(),
        breaks: steps
            .into_iter()
            .enumerate()
            .map(|(place, (at_least, price))| Break {
                at_least: (place > 0).then_some(at_least),
                value: Value::Fixed { price },
            })
            .collect(),
    };
    steps.into_iter().map(of_product).collect()
}
