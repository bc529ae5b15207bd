//! How far the goods of an order have got. It derives from what was shipped, delivered and
//! cancelled; nobody sets it.

use std::collections::BTreeMap;

use domain::order;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::Status;

/// How far the goods of an order have got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "OrderFulfilment")]
pub enum Fulfilment {
    /// Nothing has left yet.
    Outstanding,
    /// Some of it has left, none was delivered.
    PartShipped,
    /// All that will leave has left, none was delivered.
    Shipped,
    /// Some of it was delivered.
    PartDelivered,
    /// All of it was delivered, or what was not had been cancelled.
    Delivered,
    /// Nothing of it will leave.
    Cancelled,
}

impl Fulfilment {
    pub(super) fn of(status: Status, some_delivered: bool, all_delivered: bool) -> Self {
        match status {
            Status::Refused | Status::Cancelled => Self::Cancelled,
            Status::AwaitingApproval | Status::Placed | Status::Confirmed => Self::Outstanding,
            Status::Shipped if all_delivered => Self::Delivered,
            Status::PartShipped | Status::Shipped if some_delivered => Self::PartDelivered,
            Status::PartShipped => Self::PartShipped,
            Status::Shipped => Self::Shipped,
        }
    }
}

/// How far a line of an order has got: ordered = shipped + outstanding + cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "OrderLineProgress")]
pub struct LineProgress {
    /// The line's number, counted from 1.
    pub line: u32,
    /// What was ordered.
    pub ordered: String,
    /// What the seller has confirmed, as far as it was not cancelled.
    pub confirmed: String,
    /// What has left.
    pub shipped: String,
    /// What of that was delivered.
    pub delivered: String,
    /// What is still to leave.
    pub outstanding: String,
    /// What will not leave any more.
    pub cancelled: String,
}

/// The progress of every line, by what was shipped, delivered and cancelled.
pub(super) fn of(
    terms: &order::Terms,
    status: Status,
    [shipped, delivered, cancelled]: [&BTreeMap<String, String>; 3],
) -> Vec<LineProgress> {
    let (is_confirmed, is_ended) = match status {
        Status::AwaitingApproval | Status::Placed => (false, false),
        Status::Confirmed | Status::PartShipped => (true, false),
        Status::Shipped => (true, true),
        Status::Refused | Status::Cancelled => (false, true),
    };
    let line = |(number, line): (u32, &domain::Line)| {
        let of = |quantities: &BTreeMap<String, String>| -> Decimal {
            let quantity = quantities.get(&number.to_string());
            quantity.and_then(|quantity| quantity.parse().ok()).unwrap_or_default()
        };
        let (ordered, shipped, delivered) = (line.quantity.units(), of(shipped), of(delivered));
        // Shipments of older builds may come to more than was ordered.
        let rest = (ordered - shipped).max(Decimal::ZERO);
        let cancelled = if is_ended { rest } else { of(cancelled) };
        let confirmed = if is_confirmed { ordered - cancelled } else { Decimal::ZERO };
        let text = |quantity: Decimal| quantity.normalize().to_string();
        LineProgress {
            line: number,
            ordered: text(ordered),
            confirmed: text(confirmed),
            shipped: text(shipped),
            delivered: text(delivered),
            outstanding: text(rest - cancelled),
            cancelled: text(cancelled),
        }
    };
    terms.lines.numbered().map(line).collect()
}
