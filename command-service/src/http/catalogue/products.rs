//! `/v1/products`: what is sold, at which base price.

mod details;

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{Claim, Currency, Product, ProductId, UnitPrice, claim, product};
use futures::FutureExt;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Services,
    failure::{Failure, problem},
    http::access::{By, Pricing},
    http::{Created, Done, Nothing, decide},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/products",
            post_with(draft, |o| o.id("product.draft").summary("Draft a product")),
        )
        .api_route(
            "/v1/products/{id}/price",
            post_with(price, |o| o.id("product.price").summary("Set a base price")),
        )
        .api_route(
            "/v1/products/{id}/floor",
            post_with(floor, |o| o.id("product.floor").summary("Set the floor price of a product")),
        )
        .api_route(
            "/v1/products/{id}/publish",
            post_with(publish, |o| o.id("product.publish").summary("Publish a product")),
        )
        .api_route(
            "/v1/products/{id}/withdraw",
            post_with(withdraw, |o| o.id("product.withdraw").summary("Withdraw a product")),
        )
        .merge(details::routes())
}

/// A new product.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DraftProduct")]
struct Draft {
    sku: domain::Sku,
    name: domain::Name,
    #[serde(default)]
    gtin: Option<domain::Gtin>,
    unit: product::Unit,
    vat_rate: domain::VatRate,
    /// Base prices, one per currency.
    #[serde(default)]
    prices: Vec<Price>,
}

/// A base price.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BasePrice")]
struct Price {
    currency: Currency,
    /// Net price of one unit.
    price: UnitPrice,
}

impl From<Price> for product::Command {
    fn from(Price { currency, price }: Price) -> Self {
        Self::Price { currency, price }
    }
}

async fn draft(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Body { value, digest }: Body<Draft>,
) -> Result<Created, Problem> {
    let id = ProductId(Uuid::now_v7());
    let Draft { sku, name, gtin, unit, vat_rate, prices } = value;
    let description = product::Description { sku, name, gtin, unit, vat_rate };
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let (description, prices) = (description.clone(), prices.clone());
            async move {
                let claims = [
                    Some(claim::Value::Sku(description.sku.clone())),
                    description.gtin.clone().map(claim::Value::Gtin),
                ];
                for value in claims.into_iter().flatten() {
                    let command = claim::Command::Take { by: id.0, value: value.clone() };
                    work.decide::<Claim>(value.id(), command).await?;
                }
                work.decide::<Product>(id, product::Command::Draft { id, description }).await?;
                for price in prices {
                    work.decide::<Product>(id, price.into()).await?;
                }
                work.answer(id);
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(Created::within("/v1/products", done.outcome))
}

async fn price(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Price>,
) -> Result<Done, Problem> {
    decide::<Product>(&services, &caller, id, digest, value.into()).await
}

/// The least that it costs, whatever lists, contracts and discounts say.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SetFloorPrice")]
struct Floor {
    currency: domain::Currency,
    /// Net price of one unit; without it there is no floor any more.
    price: Option<domain::UnitPrice>,
}

async fn floor(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Floor { currency, price }, digest }: Body<Floor>,
) -> Result<Done, Problem> {
    let command = product::Command::Floor { currency, price };
    decide::<Product>(&services, &caller, id, digest, command).await
}

async fn publish(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    decide::<Product>(&services, &caller, id, digest, product::Command::Publish).await
}

/// What takes its place.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WithdrawProduct")]
struct Withdraw {
    /// What is sold instead.
    #[serde(default)]
    successor: Option<ProductId>,
}

async fn withdraw(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Withdraw { successor }, digest }: Body<Withdraw>,
) -> Result<Done, Problem> {
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            async move {
                let others: Vec<ProductId> = successor.into_iter().collect();
                details::are_known(work, &others, |_| "/successor".to_owned()).await?;
                work.decide::<Product>(id, product::Command::Withdraw { successor }).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}
