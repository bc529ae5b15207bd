//! `/v1/stock`: how much there is of what.

use std::collections::HashSet;

use aide::axum::{ApiRouter, routing::post_with};
use axum::{extract::State, http::StatusCode};
use domain::{
    Claim, ProductId, Sku, Stock, StockId, claim,
    stock::{Available, Command, Level},
};
use event_log::Work;
use futures::FutureExt;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::Body,
    problem::{FieldError, Problem},
};
use uuid::Uuid;

use crate::{
    Services,
    failure::{Failure, names_nothing, problem},
    http::Done,
    http::access::{By, Dispatch},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new().api_route(
        "/v1/stock",
        post_with(report, |o| o.id("stock.report").summary("Report stock levels, all or none")),
    )
}

/// Levels of stock.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReportStock")]
struct Report {
    /// At most a thousand; more come as a sheet.
    levels: Vec<Reported>,
}

/// How much there is of a product.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReportedStockLevel")]
struct Reported {
    /// Of which.
    sku: Sku,
    /// How much can be sold now, in its units; `0` when there is none.
    available: Available,
    /// When more is expected.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    expected: Option<Date>,
}

/// How many levels a request may bring.
const MOST: usize = 1_000;

async fn report(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    Body { value: Report { levels }, digest }: Body<Report>,
) -> Result<Done, Problem> {
    if levels.is_empty() || levels.len() > MOST {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "stock.count_invalid")
            .field(FieldError::at("/levels", format!("there must be 1 to {MOST}"))));
    }
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let levels = levels.clone();
            async move { take_note(work, &levels).await }.boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
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
