//! `stock_levels`: what each warehouse has of each product, by lots, and the journal of movements.

pub mod movements;

use domain::{
    Event, ProductId, WarehouseCode, WarehouseId, inventory,
    stock::{Allocated, Balance, Disposition, Event as E, Lot},
};
use event_log::RecordedEvent;
use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError, aside, build,
    projection::change,
    row::{json, word_or_none},
};

/// Levels by product and warehouse.
pub const PROJECTION: Projection = Projection {
    name: "stock_levels",
    schema: "
        CREATE TABLE stock_levels (
            product_id uuid NOT NULL,
            warehouse_id uuid NOT NULL,
            on_hand numeric NOT NULL DEFAULT 0,
            reserved numeric NOT NULL DEFAULT 0,
            -- Goods that came back and are not sold as new.
            second_choice numeric NOT NULL DEFAULT 0,
            PRIMARY KEY (product_id, warehouse_id)
        );
        CREATE TABLE stock_lots (
            product_id uuid NOT NULL,
            warehouse_id uuid NOT NULL,
            code text NOT NULL CHECK (octet_length(code) <= 400),
            best_before date,
            on_hand numeric NOT NULL,
            PRIMARY KEY (product_id, warehouse_id, code)
        );
        CREATE TABLE stock_movements (
            position bigint NOT NULL,
            -- A transfer has two, one for each warehouse.
            warehouse_id uuid NOT NULL,
            product_id uuid NOT NULL,
            kind text NOT NULL,
            quantity numeric NOT NULL,
            -- On hand in the warehouse after it.
            balance numeric NOT NULL,
            recorded_at timestamptz NOT NULL,
            details jsonb NOT NULL,
            PRIMARY KEY (position, warehouse_id)
        );
        CREATE INDEX ON stock_movements (product_id, position, warehouse_id)",
    tables: &["stock_levels", "stock_lots", "stock_movements"],
    reads: &["stock"],
    aside: aside::stream,
    apply,
    build: build::STOCK_LEVELS,
};

const LEVEL: &str = "
    INSERT INTO stock_levels (product_id, warehouse_id, on_hand, reserved, second_choice)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (product_id, warehouse_id) DO UPDATE SET
        on_hand = stock_levels.on_hand + $3, reserved = stock_levels.reserved + $4,
        second_choice = stock_levels.second_choice + $5";
const LOT: &str = "
    INSERT INTO stock_lots (product_id, warehouse_id, code, best_before, on_hand)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (product_id, warehouse_id, code)
        DO UPDATE SET on_hand = stock_lots.on_hand + $5, best_before = $4";
const EMPTY_LOT: &str = "
    DELETE FROM stock_lots
    WHERE product_id = $1 AND warehouse_id = $2 AND code = $3 AND on_hand = 0";
/// A hundred lots of each warehouse, those that expire first.
const LIST: &str = "
    SELECT level.product_id, level.warehouse_id, warehouse.code, level.on_hand, level.reserved,
        level.second_choice,
        (SELECT coalesce(sum(expected.quantity), 0) FROM view.stock_expected expected
            WHERE expected.product_id = level.product_id
                AND expected.warehouse_id = level.warehouse_id) AS expected,
        coalesce((SELECT jsonb_agg(jsonb_build_object('code', lot.code, 'best_before',
                lot.best_before, 'on_hand', trim_scale(lot.on_hand)::text)
                ORDER BY lot.best_before, lot.code)
            FROM (SELECT * FROM view.stock_lots lot
                WHERE lot.product_id = level.product_id AND lot.warehouse_id = level.warehouse_id
                ORDER BY best_before, code LIMIT 100) lot), '[]') AS lots
    FROM view.stock_levels level
    LEFT JOIN view.warehouses warehouse ON warehouse.id = level.warehouse_id
    WHERE level.product_id = $1 AND ($2::uuid IS NULL OR level.warehouse_id > $2)
    ORDER BY level.warehouse_id LIMIT $3";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Inventory(inventory::Event::Stock(event)) = event else { return vec![] };
    let mut changes = levels(event);
    changes.extend(movements::recorded(recorded, event));
    changes
}

/// What changes in the warehouses.
fn levels(event: &E) -> Vec<Change> {
    let zero = Decimal::ZERO;
    let level = |product: &ProductId, warehouse: &WarehouseId, on_hand: Decimal, held: Decimal| {
        change!(LEVEL, product.0, warehouse.0, on_hand, held, Decimal::ZERO)
    };
    let moved = |product: &ProductId, warehouse: &WarehouseId, lot: Option<&Lot>, by: Decimal| {
        let mut changes = vec![level(product, warehouse, by, Decimal::ZERO)];
        if let Some(Lot { code, best_before }) = lot {
            let (product, warehouse, code) = (product.0, warehouse.0, code.to_string());
            changes.push(change!(LOT, product, warehouse, code.clone(), *best_before, by));
            changes.push(change!(EMPTY_LOT, product, warehouse, code));
        }
        changes
    };
    let reserved = |product: &ProductId, parts: &[Allocated], sign: Decimal| -> Vec<Change> {
        let units = |part: &Allocated| sign * part.quantity.units();
        parts.iter().map(|part| level(product, &part.warehouse, zero, units(part))).collect()
    };
    match event {
        E::Received { product, warehouse, quantity, lot, .. } => {
            moved(product, warehouse, lot.as_ref(), quantity.units())
        }
        E::Adjusted { product, warehouse, lots, .. }
        | E::Counted { product, warehouse, lots, .. } => {
            let known = level(product, warehouse, zero, zero);
            let change = |one: &domain::stock::LotChange| {
                moved(product, warehouse, one.lot.as_ref(), one.change.units())
            };
            std::iter::once(known).chain(lots.iter().flat_map(change)).collect()
        }
        E::Transferred { product, from, to, lots, .. } => {
            let both = |one: &domain::stock::LotQuantity| {
                let (lot, units) = (one.lot.as_ref(), one.quantity.units());
                let mut changes = moved(product, from, lot, -units);
                changes.extend(moved(product, to, lot, units));
                changes
            };
            lots.iter().flat_map(both).collect()
        }
        E::Withdrawn { product, warehouse, lots, .. } => {
            let less = |one: &domain::stock::LotQuantity| {
                moved(product, warehouse, one.lot.as_ref(), -one.quantity.units())
            };
            lots.iter().flat_map(less).collect()
        }
        E::Returned { product, warehouse, quantity, lot, disposition, .. } => match disposition {
            Disposition::Restock => moved(product, warehouse, lot.as_ref(), quantity.units()),
            Disposition::SecondChoice => {
                vec![change!(LEVEL, product.0, warehouse.0, zero, zero, quantity.units())]
            }
            // So that its movement has a balance.
            Disposition::Scrap => vec![level(product, warehouse, zero, zero)],
        },
        E::Reserved { product, allocated, .. } => reserved(product, allocated, Decimal::ONE),
        E::Released { product, allocated, .. } => reserved(product, allocated, -Decimal::ONE),
        E::Allocated { product, fills } => {
            let units = |fill: &domain::stock::event::Fill| fill.quantity.units();
            fills.iter().map(|fill| level(product, &fill.warehouse, zero, units(fill))).collect()
        }
        E::Deallocated { product, fills } => {
            let units = |fill: &domain::stock::event::Fill| -fill.quantity.units();
            fills.iter().map(|fill| level(product, &fill.warehouse, zero, units(fill))).collect()
        }
        E::Shipped { product, taken, .. } => {
            let left = |one: &domain::stock::Taken| {
                let units = one.quantity.units();
                let mut changes = moved(product, &one.warehouse, one.lot.as_ref(), -units);
                changes.push(level(product, &one.warehouse, zero, -units));
                changes
            };
            taken.iter().flat_map(left).collect()
        }
        E::Reported { .. }
        | E::Configured { .. }
        | E::ReceiptExpected { .. }
        | E::ReceiptRescheduled { .. }
        | E::ReceiptCancelled { .. }
        | E::BundleReserved { .. }
        | E::BundleReleased { .. }
        | E::BundleShipped { .. }
        | E::RanOut { .. }
        | E::Replenished { .. } => vec![],
    }
}

/// What a warehouse has of a product.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "WarehouseStock")]
pub struct Level {
    /// Which warehouse.
    pub warehouse: WarehouseId,
    /// Its code.
    pub code: Option<WarehouseCode>,
    /// How much is there.
    pub on_hand: Balance,
    /// How much of it is allocated to orders.
    pub reserved: Balance,
    /// How much can be sold: on hand − reserved.
    pub free: Balance,
    /// How much is expected.
    pub expected: Balance,
    /// Goods that came back and are not sold as new; they are not on hand.
    pub second_choice: Balance,
    /// A hundred lots at most, those that expire first.
    pub lots: Vec<LotLevel>,
}

/// What a warehouse has of a lot.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LotLevel {
    /// The code that its maker gave it.
    pub code: String,
    /// The last day on which the goods are at their best.
    pub best_before: Option<Date>,
    /// How much is there.
    pub on_hand: Balance,
}

/// What each warehouse has of a product, from after `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    product: Uuid,
    cursor: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Level>, ReadError> {
    let rows = client.query(LIST, &[&product, &cursor, &limit]).await?;
    rows.iter().map(level_of).collect()
}

fn level_of(row: &Row) -> Result<Level, ReadError> {
    let (on_hand, reserved) = (balance(row, "on_hand")?, balance(row, "reserved")?);
    Ok(Level {
        warehouse: WarehouseId(row.get("warehouse_id")),
        code: word_or_none(row, "code")?,
        on_hand,
        reserved,
        free: on_hand.changed(-reserved.units()),
        expected: balance(row, "expected")?,
        second_choice: balance(row, "second_choice")?,
        lots: json(row, "lots")?,
    })
}

/// A numeric column as a balance; one beyond the largest that can be shown is shown as that.
pub(super) fn balance(row: &Row, column: &str) -> Result<Balance, ReadError> {
    let most = Balance::LARGEST_SUM;
    let units = row.try_get::<_, Decimal>(column)?.clamp(-most, most);
    Balance::new(units).map_err(|_| ReadError::Malformed)
}
