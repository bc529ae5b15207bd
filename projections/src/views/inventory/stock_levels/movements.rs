//! The journal of movements: when, what, how much, why, and what was on hand after it.

use std::collections::BTreeMap;

use domain::{
    OrderId, ProductId, Reference, ShipmentId, WarehouseCode, WarehouseId,
    stock::{Balance, Event as E, Lot, Taken},
};
use event_log::RecordedEvent;
use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use super::balance;
use crate::{
    Change, ReadError,
    projection::change,
    row::{json, name_of, word, word_or_none},
};

/// The level has changed before.
const RECORD: &str = "
    INSERT INTO stock_movements
        (position, warehouse_id, product_id, kind, quantity, balance, recorded_at, details)
    SELECT $1, warehouse_id, product_id, $4, $5, on_hand, $6, $7 FROM stock_levels
    WHERE product_id = $2 AND warehouse_id = $3
    ON CONFLICT (position, warehouse_id) DO NOTHING";
const LIST: &str = "
    SELECT position, movement.warehouse_id, warehouse.code, kind, quantity, balance, recorded_at,
        details
    FROM view.stock_movements movement
    LEFT JOIN view.warehouses warehouse ON warehouse.id = movement.warehouse_id
    WHERE product_id = $1 AND ($2::uuid IS NULL OR movement.warehouse_id = $2)
        AND ($3::bigint IS NULL OR (position, movement.warehouse_id) < ($3, $4))
    ORDER BY position DESC, movement.warehouse_id DESC LIMIT $5";

/// What kind of movement it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "StockMovementKind")]
pub enum Kind {
    /// Goods arrived.
    Received,
    /// A difference was corrected.
    Adjusted,
    /// A stock-taking; the quantity is the difference, also when it is 0.
    Counted,
    /// Goods left to another warehouse, or came from one.
    Transferred,
    /// Goods left without an order in Kontor.
    Withdrawn,
    /// Goods of an order came back.
    Returned,
    /// Goods of an order left.
    Shipped,
}

/// What else is known of a movement.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "StockMovementDetails")]
pub struct Details {
    /// Why a balance was corrected, or what became of returned goods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The document of the warehouse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// The announced receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Reference>,
    /// Of which order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// In which shipment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment: Option<ShipmentId>,
    /// The other warehouse of a transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_warehouse: Option<WarehouseId>,
    /// What a stock-taking should have found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Balance>,
    /// What a stock-taking found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<String>,
    /// The lots that it was about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lots: Vec<Lot>,
}

/// The movements of an event.
pub(super) fn recorded(recorded: &RecordedEvent, event: &E) -> Vec<Change> {
    let record = |product: &ProductId, warehouse, moved, details| {
        recorded_as(recorded, (product, warehouse), moved, details)
    };
    let lots = |all: &mut dyn Iterator<Item = Option<&Lot>>| -> Vec<Lot> {
        all.flatten().cloned().collect()
    };
    match event {
        E::Received { product, warehouse, quantity, lot, receipt, reference } => {
            let (receipt, reference) = (receipt.clone(), reference.clone());
            let lots = lots(&mut std::iter::once(lot.as_ref()));
            let details = Details { reference, receipt, lots, ..Details::default() };
            vec![record(product, *warehouse, (Kind::Received, quantity.units()), details)]
        }
        E::Adjusted { product, warehouse, change, lots: of, reason, note, reference } => {
            let details = Details {
                reason: Some(name_of(reason)),
                note: note.as_ref().map(ToString::to_string),
                reference: reference.clone(),
                lots: lots(&mut of.iter().map(|one| one.lot.as_ref())),
                ..Details::default()
            };
            vec![record(product, *warehouse, (Kind::Adjusted, change.units()), details)]
        }
        E::Counted { product, warehouse, expected, counted, lots: of, reference, .. } => {
            let details = Details {
                reference: reference.clone(),
                expected: Some(*expected),
                counted: Some(counted.to_string()),
                lots: lots(&mut of.iter().map(|one| one.lot.as_ref())),
                ..Details::default()
            };
            let units = counted.units() - expected.units();
            vec![record(product, *warehouse, (Kind::Counted, units), details)]
        }
        E::Transferred { product, from, to, quantity, lots: of, reference } => {
            let details = |other| Details {
                reference: reference.clone(),
                other_warehouse: Some(other),
                lots: lots(&mut of.iter().map(|one| one.lot.as_ref())),
                ..Details::default()
            };
            let units = quantity.units();
            vec![
                record(product, *from, (Kind::Transferred, -units), details(*to)),
                record(product, *to, (Kind::Transferred, units), details(*from)),
            ]
        }
        E::Withdrawn { product, warehouse, quantity, lots: of, reference } => {
            let lots = lots(&mut of.iter().map(|one| one.lot.as_ref()));
            let details = Details { reference: reference.clone(), lots, ..Details::default() };
            vec![record(product, *warehouse, (Kind::Withdrawn, -quantity.units()), details)]
        }
        E::Returned { product, warehouse, quantity, lot, disposition, order, reference } => {
            let details = Details {
                reason: Some(name_of(disposition)),
                reference: reference.clone(),
                order: *order,
                lots: lots(&mut std::iter::once(lot.as_ref())),
                ..Details::default()
            };
            vec![record(product, *warehouse, (Kind::Returned, quantity.units()), details)]
        }
        E::Shipped { product, order, shipment, taken, .. } => {
            shipped(recorded, product, (*order, *shipment), taken)
        }
        E::Reported { .. }
        | E::Configured { .. }
        | E::ReceiptExpected { .. }
        | E::ReceiptRescheduled { .. }
        | E::ReceiptCancelled { .. }
        | E::Reserved { .. }
        | E::Allocated { .. }
        | E::Deallocated { .. }
        | E::Released { .. }
        | E::BundleReserved { .. }
        | E::BundleReleased { .. }
        | E::BundleShipped { .. }
        | E::RanOut { .. }
        | E::Replenished { .. } => vec![],
    }
}

/// One movement for each warehouse that goods of an order left.
fn shipped(
    recorded: &RecordedEvent,
    product: &ProductId,
    (order, shipment): (OrderId, ShipmentId),
    taken: &[Taken],
) -> Vec<Change> {
    let mut by_warehouse: BTreeMap<WarehouseId, (Decimal, Vec<Lot>)> = BTreeMap::new();
    for one in taken {
        let (units, lots) = by_warehouse.entry(one.warehouse).or_default();
        *units -= one.quantity.units();
        lots.extend(one.lot.clone());
    }
    let (order, shipment) = (Some(order), Some(shipment));
    let left = |(warehouse, (units, lots)): (WarehouseId, (Decimal, Vec<Lot>))| {
        let details = Details { order, shipment, lots, ..Details::default() };
        recorded_as(recorded, (product, warehouse), (Kind::Shipped, units), details)
    };
    by_warehouse.into_iter().map(left).collect()
}

fn recorded_as(
    recorded: &RecordedEvent,
    (product, warehouse): (&ProductId, WarehouseId),
    (kind, units): (Kind, Decimal),
    details: Details,
) -> Change {
    change!(
        RECORD,
        recorded.position.0.cast_signed(),
        product.0,
        warehouse.0,
        name_of(&kind),
        units,
        recorded.recorded_at,
        Json(details)
    )
}

/// A movement of goods.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "StockMovement")]
pub struct Movement {
    /// Where in the log it was recorded.
    pub position: i64,
    /// When.
    pub recorded_at: Timestamp,
    /// In which warehouse.
    pub warehouse: WarehouseId,
    /// Its code.
    pub code: Option<WarehouseCode>,
    /// What kind of movement it was.
    pub kind: Kind,
    /// How much: less than zero where goods left.
    pub quantity: Balance,
    /// On hand in the warehouse after it.
    pub balance: Balance,
    /// What else is known of it.
    #[serde(flatten)]
    pub details: Details,
}

/// The movements of a product, newest first, from before `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    product: Uuid,
    warehouse: Option<Uuid>,
    cursor: Option<(i64, Uuid)>,
    limit: i64,
) -> Result<Vec<Movement>, ReadError> {
    let (position, place) = cursor.unzip();
    let rows = client.query(LIST, &[&product, &warehouse, &position, &place, &limit]).await?;
    rows.iter().map(movement_of).collect()
}

fn movement_of(row: &Row) -> Result<Movement, ReadError> {
    Ok(Movement {
        position: row.get("position"),
        recorded_at: row.get("recorded_at"),
        warehouse: WarehouseId(row.get("warehouse_id")),
        code: word_or_none(row, "code")?,
        kind: word(row, "kind")?,
        quantity: balance(row, "quantity")?,
        balance: balance(row, "balance")?,
        details: json(row, "details")?,
    })
}
