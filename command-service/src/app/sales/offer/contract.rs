//! Creates a price agreement (contract) from the agreed prices of an offer.

use std::collections::BTreeMap;

use domain::{
    AgreementId, Audience, Name, Offer, OfferId, PriceAgreement, ProductId, Selection,
    offer::{self, OfferedLine, Proposal},
    price::{Break, Days, Value},
    price_agreement::{Command, Header},
};
use event_log::{Outcome, Work};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;
use uuid::Uuid;

use crate::{
    app::{
        Services, deciding,
        pricing::price_agreement::{Agreed, agree_on},
    },
    caller::Caller,
    failure::{Failure, refusal},
};

/// The name and validity of a contract.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OfferContract")]
pub struct Contract {
    /// The seller's name for it.
    pub name: Name,
    /// The first day; today when not given.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub from: Option<Date>,
    /// The last day; open-ended when not given.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub until: Option<Date>,
    /// Whether the company's discount programmes reduce these prices.
    #[serde(default)]
    pub discounts: bool,
}

/// Creates a contract with the agreed prices of an offer.
pub async fn contract(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OfferId,
    request: Contract,
) -> Result<Outcome, Problem> {
    let agreement = AgreementId(Uuid::now_v7());
    let request = &request;
    services
        .execute(caller, digest, &|work| deciding(agree(work, id, agreement, request.clone())))
        .await
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

/// The price per product by quantity. The price of the smallest agreed quantity also applies to
/// smaller quantities.
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
