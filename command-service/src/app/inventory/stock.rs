//! Stock: levels that an external system reports, movements in the warehouses, and the feed of an
//! external warehouse.

pub mod feed;
pub mod movements;

use std::collections::HashSet;

use axum::http::StatusCode;
use domain::{
    Claim, ProductId, Sku, Stock, StockId, claim,
    stock::{Available, Command, Level},
};
use event_log::{Outcome, Work};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use crate::{
    app::{Services, deciding},
    caller::Caller,
    failure::{Failure, names_nothing},
};

/// A report of stock levels.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReportStock")]
pub struct Report {
    /// At most 1,000; larger reports are imported as a sheet.
    pub levels: Vec<Reported>,
}

/// The stock level of a product.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReportedStockLevel")]
pub struct Reported {
    /// The SKU of the product.
    pub sku: Sku,
    /// The quantity available for sale, in the product's units; `0` if none.
    pub available: Available,
    /// The day on which more is expected.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub expected: Option<Date>,
}

/// The maximum number of levels per request.
const MOST: usize = 1_000;

/// Reports stock levels, all or none.
pub async fn report(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    Report { levels }: Report,
) -> Result<Outcome, Problem> {
    if levels.is_empty() || levels.len() > MOST {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "stock.count_invalid")
            .field(FieldError::at("/levels", format!("there must be 1 to {MOST}"))));
    }
    let levels = &levels;
    services.execute(caller, digest, &|work| deciding(take_note(work, levels))).await
}

async fn take_note(work: &mut Work, levels: &[Reported]) -> Result<(), Failure> {
    let claim = |level: &Reported| claim::Value::Sku(level.sku.clone()).id().0;
    work.load_many::<Claim>(levels.iter().map(claim).collect::<HashSet<_>>()).await?;
    let mut products = Vec::with_capacity(levels.len());
    for (index, level) in levels.iter().enumerate() {
        let holder = work.get::<Claim>(claim(level)).and_then(Claim::holder);
        let missing = || names_nothing(format!("/levels/{index}/sku"), "product");
        products.push(ProductId(holder.ok_or_else(missing)?));
    }
    let streams: Vec<Uuid> = products.iter().map(|product| StockId::of(*product).0).collect();
    work.load_many::<Stock>(streams).await?;
    for (product, Reported { available, expected, .. }) in products.into_iter().zip(levels) {
        let level = Level { available: *available, expected: *expected };
        work.decide::<Stock>(StockId::of(product), Command::Report { product, level }).await?;
    }
    Ok(())
}
