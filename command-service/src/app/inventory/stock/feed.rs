//! The feed of an external warehouse: levels that it counted, goods that arrived and goods that left,
//! row by row. A row is recorded once by its reference, and every row is answered.

use std::{collections::HashSet, sync::Arc};

use axum::http::StatusCode;
use domain::{
    Claim, Product, ProductId, Quantity, Reference, Sku, Stock, StockId, WarehouseCode,
    WarehouseId, claim,
    stock::{Available, Balance, Lot},
};
use event_log::Work;
use futures::FutureExt;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::problem::{FieldError, Problem};

use super::movements::{self, Count, Movement, Receive, Withdraw};
use crate::{
    app::Services,
    caller::Caller,
    failure::{Failure, problem},
};

/// Rows of an external warehouse.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StockFeed")]
pub struct Feed {
    /// At most a thousand; more come as a sheet.
    pub rows: Vec<Row>,
}

/// What an external warehouse reports of one product.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StockFeedRow")]
pub struct Row {
    /// The warehouse's number of this row. A number is recorded once per product.
    pub reference: Reference,
    pub kind: Kind,
    pub sku: Sku,
    /// The code of the warehouse.
    pub warehouse: WarehouseCode,
    /// How much: of a level all that is there, `0` too.
    pub quantity: Available,
    /// The code of the lot.
    #[serde(default)]
    pub lot: Option<Reference>,
    /// The last day on which the lot is at its best.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub best_before: Option<Date>,
    /// The announced receipt that comes with it.
    #[serde(default)]
    pub receipt: Option<Reference>,
}

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "StockFeedKind")]
pub enum Kind {
    /// What is there, as counted.
    Level,
    /// Goods that arrived.
    Receipt,
    /// Goods that left without an order in Kontor.
    Shipped,
}

impl std::str::FromStr for Kind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "level" => Ok(Self::Level),
            "receipt" => Ok(Self::Receipt),
            "shipped" => Ok(Self::Shipped),
            _ => Err("is one of level, receipt and shipped"),
        }
    }
}

/// What became of the rows, in their order.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[schemars(rename = "StockFeedReport")]
pub struct Report {
    /// How many were recorded now.
    pub recorded: usize,
    /// How many had been recorded before.
    pub repeated: usize,
    /// How many were refused.
    pub refused: usize,
    /// A query with `wait_for` this position shows what was recorded.
    pub position: u64,
    /// Every row.
    pub rows: Vec<Answer>,
}

/// What became of a row.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "StockFeedAnswer")]
pub struct Answer {
    pub reference: Reference,
    pub sku: Sku,
    pub warehouse: WarehouseCode,
    pub result: RowResult,
    /// What Kontor had on hand before it: of the lot if the row names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Balance>,
    /// What Kontor has on hand now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Balance>,
    /// By how much a level differs from what Kontor had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<Balance>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "StockFeedResult")]
pub enum RowResult {
    /// It was recorded now.
    Recorded,
    /// It had been recorded before.
    Repeated,
    /// It was refused.
    Refused,
}

/// How many rows a request may bring.
const MOST: usize = 1_000;

/// Records the rows of an external warehouse. A row that is refused does not keep out the others.
pub async fn record(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    Feed { rows }: Feed,
) -> Result<Report, Problem> {
    if rows.is_empty() || rows.len() > MOST {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "stock.count_invalid")
            .field(FieldError::at("/rows", format!("there must be 1 to {MOST}"))));
    }
    let rows: Arc<[Row]> = rows.into();
    let envelope = caller.envelope(digest);
    let executed = services
        .log
        .execute(&envelope, |work| {
            let rows = rows.clone();
            async move { answers(work, &rows).await }.boxed()
        })
        .await
        .map_err(problem::<Failure>)?;
    let answers = match executed.value {
        Some(answers) => answers,
        // The request was carried out before: every row is answered again.
        None => {
            let again = services.log.rehearse(|work| {
                let rows = rows.clone();
                async move { answers(work, &rows).await }.boxed()
            });
            again.await.map_err(problem::<Failure>)?
        }
    };
    let count = |result| answers.iter().filter(|answer| answer.result == result).count();
    Ok(Report {
        recorded: count(RowResult::Recorded),
        repeated: count(RowResult::Repeated),
        refused: count(RowResult::Refused),
        position: executed.outcome.position.0,
        rows: answers,
    })
}

async fn answers(work: &mut Work, rows: &[Row]) -> Result<Vec<Answer>, Failure> {
    load(work, rows).await?;
    let mut answers = Vec::with_capacity(rows.len());
    for row in rows {
        work.mark();
        let answer = match row.decide(work).await {
            Ok((result, before, after)) => {
                let is_level = row.kind == Kind::Level && result == RowResult::Recorded;
                let difference = is_level.then(|| after.changed(-before.units()));
                let before = (result == RowResult::Recorded).then_some(before);
                Answer { before, after: Some(after), difference, ..row.answer(result) }
            }
            Err(Failure::Refused(problem)) => {
                work.roll_back();
                Answer {
                    code: Some(problem.code().to_owned()),
                    detail: Some(problem.words().to_owned()),
                    ..row.answer(RowResult::Refused)
                }
            }
            Err(failure @ Failure::Log(_)) => return Err(failure),
        };
        answers.push(answer);
    }
    Ok(answers)
}

/// Loads what the rows name, with one query for each kind of aggregate.
pub(crate) async fn load(work: &mut Work, rows: &[Row]) -> Result<(), Failure> {
    let named = rows.iter().flat_map(|row| [row.sku_claim(), row.warehouse_claim()]);
    work.load_many::<Claim>(named.collect::<HashSet<_>>()).await?;
    let products: HashSet<ProductId> = rows.iter().filter_map(|row| row.product(work)).collect();
    let movements = rows.iter().filter_map(|row| {
        let (product, reference) = (row.product(work)?, row.reference.clone());
        Some(claim::Value::StockMovement { product, reference }.id().0)
    });
    let movements: HashSet<_> = movements.collect();
    let warehouses: HashSet<_> = rows.iter().filter_map(|row| row.warehouse(work)).collect();
    work.load_many::<Claim>(movements).await?;
    work.load_many::<domain::Warehouse>(warehouses.iter().map(|id| id.0)).await?;
    work.load_many::<Product>(products.iter().map(|id| id.0)).await?;
    work.load_many::<Stock>(products.iter().map(|id| StockId::of(*id).0)).await?;
    Ok(())
}

impl Row {
    fn sku_claim(&self) -> uuid::Uuid {
        claim::Value::Sku(self.sku.clone()).id().0
    }

    fn warehouse_claim(&self) -> uuid::Uuid {
        claim::Value::WarehouseCode(self.warehouse.clone()).id().0
    }

    fn product(&self, work: &Work) -> Option<ProductId> {
        work.get::<Claim>(self.sku_claim())?.holder().map(ProductId)
    }

    fn warehouse(&self, work: &Work) -> Option<WarehouseId> {
        work.get::<Claim>(self.warehouse_claim())?.holder().map(WarehouseId)
    }

    fn answer(&self, result: RowResult) -> Answer {
        Answer {
            reference: self.reference.clone(),
            sku: self.sku.clone(),
            warehouse: self.warehouse.clone(),
            result,
            before: None,
            after: None,
            difference: None,
            code: None,
            detail: None,
        }
    }

    /// Records the row, whose aggregates are loaded: what became of it, and what was on hand before
    /// and after it.
    pub(crate) async fn decide(
        &self,
        work: &mut Work,
    ) -> Result<(RowResult, Balance, Balance), Failure> {
        let missing = |what: &'static str, detail: &'static str| {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, what).detail(detail)
        };
        let product = self
            .product(work)
            .ok_or_else(|| missing("stock.product_missing", "there is no such product"))?;
        let warehouse = self
            .warehouse(work)
            .ok_or_else(|| missing("stock.warehouse_missing", "there is no such warehouse"))?;
        let movement = self.movement(warehouse)?;
        let before = self.on_hand(work, product, warehouse);
        let is_recorded = movements::record_in(work, product, &movement).await?;
        let result = if is_recorded { RowResult::Recorded } else { RowResult::Repeated };
        Ok((result, before, self.on_hand(work, product, warehouse)))
    }

    fn on_hand(&self, work: &Work, product: ProductId, warehouse: WarehouseId) -> Balance {
        let stock = work.get::<Stock>(StockId::of(product));
        stock.map_or(Balance::ZERO, |stock| match &self.lot {
            Some(lot) => stock.on_hand_of(warehouse, lot),
            None => stock.on_hand(warehouse),
        })
    }

    fn movement(&self, warehouse: WarehouseId) -> Result<Movement, Problem> {
        let Self { reference, quantity, lot, best_before, receipt, .. } = self.clone();
        let reference = Some(reference);
        let of = lot.clone().map(|code| Lot { code, best_before });
        if self.kind == Kind::Level {
            let counted = quantity;
            return Ok(Movement::Count(Count { warehouse, counted, lot: of, reference }));
        }
        let quantity: Quantity = quantity.0.ok_or_else(|| {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "stock.no_change")
                .detail("a receipt or a shipment has a quantity above 0")
        })?;
        Ok(match self.kind {
            Kind::Receipt => {
                Movement::Receive(Receive { warehouse, quantity, lot: of, receipt, reference })
            }
            Kind::Level | Kind::Shipped => {
                Movement::Withdraw(Withdraw { warehouse, quantity, lot, reference })
            }
        })
    }
}
