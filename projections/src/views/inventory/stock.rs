//! `stock`: how much can be sold of each product, as the warehouses have it or an external system
//! reported it.

use std::collections::HashMap;

use deadpool_postgres::Object;
use domain::{
    Event, ProductId, Reference, Sku, WarehouseId, inventory,
    stock::{self, Available, Balance, Disposition, Event as E, Level, event::Fill},
};
use event_log::{Position, RecordedEvent};
use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::Row;
use uuid::Uuid;

use super::stock_levels::balance;
use crate::{
    Change, Projection, ReadError, Remembered, aside, build,
    projection::change,
    row::{parsed, word_or_none},
};

/// Stock levels by product.
pub const PROJECTION: Projection = Projection {
    name: "stock",
    schema: "
        CREATE TABLE stock (
            product_id uuid PRIMARY KEY,
            available text NOT NULL,
            expected date,
            reported bigint NOT NULL UNIQUE,
            -- Whether its movements are recorded; then these are the sums over all warehouses.
            tracked boolean NOT NULL DEFAULT false,
            free numeric NOT NULL DEFAULT 0,
            waiting numeric NOT NULL DEFAULT 0
        );
        CREATE TABLE stock_expected (
            product_id uuid NOT NULL,
            receipt text NOT NULL CHECK (octet_length(receipt) <= 400),
            warehouse_id uuid NOT NULL,
            quantity numeric NOT NULL,
            expected_on date NOT NULL,
            PRIMARY KEY (product_id, receipt)
        )",
    tables: &["stock", "stock_expected"],
    reads: &["stock"],
    aside: aside::stream,
    apply,
    build: build::STOCK,
};

const REPORT: &str = "
    INSERT INTO stock (product_id, available, expected, reported) VALUES ($1, $2, $3, $4)
    ON CONFLICT (product_id) DO UPDATE SET available = $2, expected = $3, reported = $4";
/// What can be sold is never shown below zero, nor above the largest quantity.
const CHANGE: &str = "
    INSERT INTO stock (product_id, available, expected, reported, tracked, free, waiting)
    SELECT $1, trim_scale(least(greatest($2::numeric, 0), 1000000000))::text,
        (SELECT min(expected_on) FROM stock_expected WHERE product_id = $1), $4, true, $2, $3
    ON CONFLICT (product_id) DO UPDATE SET
        available = trim_scale(least(greatest(stock.free + $2, 0), 1000000000))::text,
        expected = excluded.expected, reported = $4, tracked = true, free = stock.free + $2,
        waiting = stock.waiting + $3";
const EXPECT: &str = "
    INSERT INTO stock_expected (product_id, receipt, warehouse_id, quantity, expected_on)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (product_id, receipt)
        DO UPDATE SET warehouse_id = $3, quantity = $4, expected_on = $5";
const ARRIVE: &str = "
    UPDATE stock_expected SET quantity = quantity - $3 WHERE product_id = $1 AND receipt = $2";
const ARRIVED: &str = "
    DELETE FROM stock_expected WHERE product_id = $1 AND receipt = $2 AND quantity <= 0";
const CANCEL: &str = "DELETE FROM stock_expected WHERE product_id = $1 AND receipt = $2";
/// The level of a product that is not tracked stays as it was reported.
const NEXT: &str = "
    UPDATE stock SET reported = $2,
        expected = (SELECT min(expected_on) FROM stock_expected WHERE product_id = $1)
    WHERE product_id = $1 AND tracked";
const SUMS: &str = "
    SELECT tracked, available, expected, free, waiting FROM view.stock WHERE product_id = $1";
const EXPECTED: &str = "
    SELECT receipt, warehouse_id, quantity, expected_on FROM view.stock_expected
    WHERE product_id = $1 ORDER BY expected_on, receipt LIMIT 1000";
const LIST: &str = "
    SELECT available, expected, product_id, product.sku, reported
    FROM view.stock LEFT JOIN view.catalogue product ON product.id = product_id
    WHERE ($1::text IS NULL OR product.sku = $1) AND ($2::bigint IS NULL OR reported > $2)
    ORDER BY reported LIMIT $3";
const LEVELS: &str = "
    SELECT available, expected, product_id FROM view.stock WHERE product_id = ANY($1)";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Inventory(inventory::Event::Stock(event)) = event else { return vec![] };
    let position = recorded.position.0.cast_signed();
    let changed = |product: &ProductId, free: Decimal, waiting: Decimal| {
        change!(CHANGE, product.0, free, waiting, position)
    };
    let zero = Decimal::ZERO;
    let allocated = |parts: &[stock::Allocated]| -> Decimal {
        parts.iter().map(|part| part.quantity.units()).sum()
    };
    let filled = |fills: &[Fill]| -> Decimal { fills.iter().map(|f| f.quantity.units()).sum() };
    match event {
        E::Reported { product, available, expected } => {
            vec![change!(REPORT, product.0, available.to_string(), *expected, position)]
        }
        E::ReceiptExpected { product, receipt, warehouse, quantity, on }
        | E::ReceiptRescheduled { product, receipt, warehouse, quantity, on } => vec![
            change!(EXPECT, product.0, receipt.to_string(), warehouse.0, quantity.units(), *on),
            change!(NEXT, product.0, position),
        ],
        E::ReceiptCancelled { product, receipt } => vec![
            change!(CANCEL, product.0, receipt.to_string()),
            change!(NEXT, product.0, position),
        ],
        E::Received { product, quantity, receipt, .. } => {
            let mut changes = Vec::new();
            if let Some(receipt) = receipt {
                let receipt = receipt.to_string();
                changes.push(change!(ARRIVE, product.0, receipt.clone(), quantity.units()));
                changes.push(change!(ARRIVED, product.0, receipt));
            }
            changes.push(changed(product, quantity.units(), zero));
            changes
        }
        E::Adjusted { product, change, .. } => vec![changed(product, change.units(), zero)],
        E::Counted { product, expected, counted, .. } => {
            vec![changed(product, counted.units() - expected.units(), zero)]
        }
        E::Withdrawn { product, quantity, .. } => vec![changed(product, -quantity.units(), zero)],
        E::Returned { product, quantity, disposition, .. } => match disposition {
            Disposition::Restock => vec![changed(product, quantity.units(), zero)],
            Disposition::SecondChoice | Disposition::Scrap => vec![],
        },
        E::Reserved { product, allocated: parts, waiting, .. } => {
            vec![changed(product, -allocated(parts), waiting.units())]
        }
        E::Allocated { product, fills } => {
            let units = filled(fills);
            vec![changed(product, -units, -units)]
        }
        E::Deallocated { product, fills } => {
            let units = filled(fills);
            vec![changed(product, units, units)]
        }
        E::Released { product, quantity, allocated: parts, .. } => {
            let had = allocated(parts);
            vec![changed(product, had, had - quantity.units())]
        }
        // What leaves was not free before, and what is moved still is.
        E::Shipped { .. }
        | E::Transferred { .. }
        | E::Configured { .. }
        | E::BundleReserved { .. }
        | E::BundleReleased { .. }
        | E::BundleShipped { .. }
        | E::RanOut { .. }
        | E::Replenished { .. } => vec![],
    }
}

/// What is known of the stock of a product over all warehouses.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "StockSums")]
pub struct Sums {
    /// Whether its movements are recorded.
    pub tracked: bool,
    /// How much can be sold now, and when more is expected.
    #[serde(flatten)]
    pub level: Level,
    /// On hand − reserved, below zero too.
    pub free: Balance,
    /// What order lines wait for.
    pub waiting: Balance,
    /// The receipts that are expected, in order of their days.
    pub receipts: Vec<ExpectedReceipt>,
}

/// A receipt that is expected.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ExpectedReceipt {
    /// The number by which it is known.
    pub receipt: Reference,
    /// Where.
    pub warehouse: WarehouseId,
    /// How much.
    pub quantity: Balance,
    /// When.
    pub on: Date,
}

/// What is known of the stock of a product.
pub async fn sums(client: &Object, product: Uuid) -> Result<Option<Sums>, ReadError> {
    let receipt = |row: &Row| {
        Ok(ExpectedReceipt {
            receipt: parsed(row, "receipt")?,
            warehouse: WarehouseId(row.get("warehouse_id")),
            quantity: balance(row, "quantity")?,
            on: row.get("expected_on"),
        })
    };
    let rows = client.query(EXPECTED, &[&product]).await?;
    let receipts: Vec<_> = rows.iter().map(receipt).collect::<Result<_, ReadError>>()?;
    let known = client.query_opt(SUMS, &[&product]).await?;
    let Some(row) = known else {
        let level = Level { available: Available(None), expected: None };
        let nothing =
            Sums { tracked: false, level, free: Balance::ZERO, waiting: Balance::ZERO, receipts };
        return Ok((!nothing.receipts.is_empty()).then_some(nothing));
    };
    Ok(Some(Sums {
        tracked: row.get("tracked"),
        level: level(&row)?,
        free: balance(&row, "free")?,
        waiting: balance(&row, "waiting")?,
        receipts,
    }))
}

/// The stock level of a product.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "StockLevel")]
pub struct StockOf {
    /// The product.
    pub product: ProductId,
    /// Its SKU.
    pub sku: Option<Sku>,
    /// Its level.
    #[serde(flatten)]
    pub level: Level,
    /// The position of the report; lists are sorted by it.
    #[serde(skip)]
    pub reported: i64,
}

/// Stock levels in the order of their reports, of one product or of all, after `cursor`, at most
/// `limit`.
pub async fn list(
    client: &Object,
    sku: Option<&str>,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<StockOf>, ReadError> {
    let statement = client.prepare_cached(LIST).await?;
    let rows = client.query(&statement, &[&sku, &cursor, &limit]).await?;
    let stock_of = |row: &Row| {
        Ok(StockOf {
            product: ProductId(row.get("product_id")),
            sku: word_or_none(row, "sku")?,
            level: level(row)?,
            reported: row.get("reported"),
        })
    };
    rows.iter().map(stock_of).collect()
}

/// A cache of stock levels.
#[derive(Debug)]
pub struct Levels(Remembered<ProductId, Option<Level>>);

impl Default for Levels {
    fn default() -> Self {
        Self(Remembered::at_most(Self::MOST))
    }
}

impl Levels {
    /// The maximum number of entries: about 100 bytes each.
    const MOST: usize = 50_000;

    /// The stock levels of `products`, in this order. `changed` is the position of the last change
    /// of the read model.
    pub async fn of(
        &self,
        client: &Object,
        changed: Position,
        products: &[ProductId],
    ) -> Result<Vec<Option<Level>>, ReadError> {
        let wanted: Vec<_> = products.iter().map(|product| (*product, changed)).collect();
        self.0.all(&wanted, |missing| levels(client, missing)).await
    }
}

/// What is known of the stock of some products.
pub async fn levels(
    client: &Object,
    of: Vec<ProductId>,
) -> Result<HashMap<ProductId, Option<Level>>, ReadError> {
    let of: Vec<Uuid> = of.into_iter().map(|product| product.0).collect();
    let statement = client.prepare_cached(LEVELS).await?;
    let rows = client.query(&statement, &[&of]).await?;
    rows.iter().map(|row| Ok((ProductId(row.get(2)), Some(level(row)?)))).collect()
}

fn level(row: &Row) -> Result<Level, ReadError> {
    Ok(Level {
        available: parsed::<Available>(row, "available")?,
        expected: row.get::<_, Option<Date>>("expected"),
    })
}
