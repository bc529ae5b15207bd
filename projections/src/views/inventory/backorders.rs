//! `backorders`: what order lines have reserved, and what of it waits for goods.

use domain::{
    CompanyId, Event, OrderId, ProductId, Sku, inventory,
    stock::{self, Allocated, Balance, Event as E},
};
use event_log::RecordedEvent;
use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use super::stock_levels::balance;
use crate::{Change, Projection, ReadError, aside, build, projection::change, row::word_or_none};

/// Open reservations by order line and product.
pub const PROJECTION: Projection = Projection {
    name: "backorders",
    schema: "
        CREATE TABLE backorders (
            order_id uuid NOT NULL,
            line bigint NOT NULL,
            product_id uuid NOT NULL,
            priority smallint NOT NULL,
            reserved numeric NOT NULL,
            waiting numeric NOT NULL,
            since timestamptz NOT NULL,
            created bigint NOT NULL UNIQUE,
            PRIMARY KEY (order_id, line, product_id)
        );
        CREATE INDEX ON backorders (created) WHERE waiting > 0;
        CREATE INDEX ON backorders (product_id, created) WHERE waiting > 0",
    tables: &["backorders"],
    reads: &["stock"],
    aside: aside::stream,
    apply,
    build: build::BACKORDERS,
};

const RESERVE: &str = "
    INSERT INTO backorders
        (order_id, line, product_id, priority, reserved, waiting, since, created)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (order_id, line, product_id)
        DO UPDATE SET priority = $4, reserved = $5, waiting = $6, since = $7, created = $8";
/// Who begins to wait again, waits since then.
const CHANGE: &str = "
    UPDATE backorders SET reserved = reserved + $4, waiting = waiting + $5,
        since = CASE WHEN waiting <= 0 AND $5 > 0 THEN $6 ELSE since END
    WHERE order_id = $1 AND line = $2 AND product_id = $3";
const SETTLE: &str = "
    DELETE FROM backorders
    WHERE order_id = $1 AND line = $2 AND product_id = $3 AND reserved <= 0 AND waiting <= 0";
/// A buyer's orders are those of its company.
const LIST: &str = "
    SELECT backorder.order_id, line, backorder.product_id, product.sku, waiting, since, priority,
        backorder.created, placed.company_id,
        (SELECT min(expected_on) FROM view.stock_expected expected
            WHERE expected.product_id = backorder.product_id) AS expected_on
    FROM view.backorders backorder
    JOIN view.orders placed ON placed.id = backorder.order_id
    LEFT JOIN view.catalogue product ON product.id = backorder.product_id
    WHERE waiting > 0 AND ($1::uuid IS NULL OR placed.company_id = $1)
        AND ($2::uuid IS NULL OR backorder.order_id = $2)
        AND ($3::uuid IS NULL OR backorder.product_id = $3)
        AND ($4::bigint IS NULL OR backorder.created > $4)
    ORDER BY backorder.created LIMIT $5";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Inventory(inventory::Event::Stock(event)) = event else { return vec![] };
    let changed =
        |order: OrderId, line: u32, product: ProductId, reserved: Decimal, waiting: Decimal| {
            let line = i64::from(line);
            let at = recorded.recorded_at;
            [
                change!(CHANGE, order.0, line, product.0, reserved, waiting, at),
                change!(SETTLE, order.0, line, product.0),
            ]
        };
    let sum =
        |parts: &[Allocated]| -> Decimal { parts.iter().map(|part| part.quantity.units()).sum() };
    let filled = |product: ProductId, fills: &[stock::event::Fill], sign: Decimal| -> Vec<Change> {
        let change = |fill: &stock::event::Fill| {
            let units = sign * fill.quantity.units();
            changed(fill.order, fill.line, product, units, -units)
        };
        fills.iter().flat_map(change).collect()
    };
    match event {
        E::Reserved { product, order, line, priority, allocated, waiting, .. } => {
            vec![change!(
                RESERVE,
                order.0,
                i64::from(*line),
                product.0,
                i16::from(u8::from(*priority)),
                sum(allocated),
                waiting.units(),
                recorded.recorded_at,
                recorded.position.0.cast_signed()
            )]
        }
        E::Allocated { product, fills } => filled(*product, fills, Decimal::ONE),
        E::Deallocated { product, fills } => filled(*product, fills, -Decimal::ONE),
        E::Released { product, order, line, quantity, allocated } => {
            let had = sum(allocated);
            changed(*order, *line, *product, -had, had - quantity.units()).into()
        }
        E::Shipped { product, order, line, quantity, .. } => {
            changed(*order, *line, *product, -quantity.units(), Decimal::ZERO).into()
        }
        E::Reported { .. }
        | E::Configured { .. }
        | E::ReceiptExpected { .. }
        | E::ReceiptRescheduled { .. }
        | E::ReceiptCancelled { .. }
        | E::Received { .. }
        | E::Adjusted { .. }
        | E::Counted { .. }
        | E::Transferred { .. }
        | E::Withdrawn { .. }
        | E::Returned { .. }
        | E::BundleReserved { .. }
        | E::BundleReleased { .. }
        | E::BundleShipped { .. }
        | E::RanOut { .. }
        | E::Replenished { .. } => vec![],
    }
}

/// Goods that an order line waits for.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Backorder {
    /// Of which order.
    pub order: OrderId,
    /// Of which company.
    pub company: CompanyId,
    /// The number of the line.
    pub line: u32,
    /// Of which product; of a bundle, one of its parts.
    pub product: ProductId,
    /// Its code.
    pub sku: Option<Sku>,
    /// How much is missing.
    pub waiting: Balance,
    /// Since when.
    pub since: Timestamp,
    /// The day of the next expected receipt of the product.
    pub expected: Option<Date>,
    /// Whether it is filled before others, 1 to 9; the seller's people see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Where in the log it was reserved; lists are in this order.
    #[serde(skip)]
    pub created: i64,
}

/// Which backorders are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Those of this company.
    pub company: Option<Uuid>,
    /// Those of this order.
    pub order: Option<Uuid>,
    /// Those of this product.
    pub product: Option<Uuid>,
}

/// Backorders in order of reservation, from after `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    Filter { company, order, product }: Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Backorder>, ReadError> {
    let rows = client.query(LIST, &[&company, &order, &product, &cursor, &limit]).await?;
    rows.iter().map(backorder_of).collect()
}

fn backorder_of(row: &Row) -> Result<Backorder, ReadError> {
    Ok(Backorder {
        order: OrderId(row.get("order_id")),
        company: CompanyId(row.get("company_id")),
        line: u32::try_from(row.get::<_, i64>("line")).map_err(|_| ReadError::Malformed)?,
        product: ProductId(row.get("product_id")),
        sku: word_or_none(row, "sku")?,
        waiting: balance(row, "waiting")?,
        since: row.get("since"),
        expected: row.get("expected_on"),
        priority: u8::try_from(row.get::<_, i16>("priority")).ok(),
        created: row.get("created"),
    })
}
