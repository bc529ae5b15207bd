//! Products: draft, publish, withdraw, and set base prices.

pub mod details;

use domain::{Claim, Currency, Product, ProductId, UnitPrice, claim, product};
use event_log::Outcome;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;
use uuid::Uuid;

use crate::{
    app::{Services, deciding},
    caller::Caller,
};

/// A product to draft.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DraftProduct")]
pub struct Draft {
    pub sku: domain::Sku,
    pub name: domain::Name,
    #[serde(default)]
    pub gtin: Option<domain::Gtin>,
    pub unit: product::Unit,
    pub vat_rate: domain::VatRate,
    /// Base prices, at most one per currency.
    #[serde(default)]
    pub prices: Vec<Price>,
}

/// A base price.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BasePrice")]
pub struct Price {
    pub currency: Currency,
    /// Net price of one unit.
    pub price: UnitPrice,
}

impl From<Price> for product::Command {
    fn from(Price { currency, price }: Price) -> Self {
        Self::Price { currency, price }
    }
}

/// Drafts a product.
pub async fn draft(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    value: Draft,
) -> Result<Outcome, Problem> {
    let id = ProductId(Uuid::now_v7());
    let Draft { sku, name, gtin, unit, vat_rate, prices } = value;
    let description = product::Description { sku, name, gtin, unit, vat_rate };
    let description = &description;
    let prices = &prices;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let claims = [
                    Some(claim::Value::Sku(description.sku.clone())),
                    description.gtin.clone().map(claim::Value::Gtin),
                ];
                for value in claims.into_iter().flatten() {
                    let command = claim::Command::Take { by: id.0, value: value.clone() };
                    work.decide::<Claim>(value.id(), command).await?;
                }
                work.decide::<Product>(
                    id,
                    product::Command::Draft { id, description: description.clone() },
                )
                .await?;
                for price in prices.iter().copied() {
                    work.decide::<Product>(id, price.into()).await?;
                }
                work.answer(id);
                Ok(())
            })
        })
        .await
}

/// Sets a base price.
pub async fn price(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ProductId,
    request: Price,
) -> Result<Outcome, Problem> {
    services.decide::<Product>(caller, digest, id, request.into()).await
}

/// The floor price: the lowest net price, whatever agreements and discounts say.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SetFloorPrice")]
pub struct Floor {
    pub currency: domain::Currency,
    /// Net price of one unit; `null` removes the floor price.
    pub price: Option<domain::UnitPrice>,
}

/// Sets the floor price of a product.
pub async fn floor(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ProductId,
    Floor { currency, price }: Floor,
) -> Result<Outcome, Problem> {
    let command = product::Command::Floor { currency, price };
    services.decide::<Product>(caller, digest, id, command).await
}

/// Publishes a product.
pub async fn publish(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ProductId,
) -> Result<Outcome, Problem> {
    services.decide::<Product>(caller, digest, id, product::Command::Publish).await
}

/// The replacement of a withdrawn product.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WithdrawProduct")]
pub struct Withdraw {
    /// The product that replaces it.
    #[serde(default)]
    pub successor: Option<ProductId>,
}

/// Withdraws a product.
pub async fn withdraw(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ProductId,
    Withdraw { successor }: Withdraw,
) -> Result<Outcome, Problem> {
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let others: Vec<ProductId> = successor.into_iter().collect();
                details::are_known(work, &others, |_| "/successor".to_owned()).await?;
                work.decide::<Product>(id, product::Command::Withdraw { successor }).await?;
                Ok(())
            })
        })
        .await
}
