//! What orders reserve of stock: confirming reserves, cancelling releases, shipping takes what is
//! allocated, in the same append as the events of the order.
//!
//! An order line of a product that is not tracked reserves nothing. A bundle that is not tracked
//! itself reserves its tracked parts; its own stock stream records which parts these were.

use std::collections::HashSet;

use axum::http::StatusCode;
use domain::{
    Note, Order, OrderId, Product, ProductId, Quantity, ShipmentId, Stock, StockId, WarehouseId,
    order,
    stock::{self, Command, Part, Priority},
};
use event_log::{Outcome, Work};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;

use crate::{
    app::{
        Services, deciding,
        inventory::warehouse,
        sales::{order as orders, order::Cancel},
    },
    caller::Caller,
    failure::{Failure, refusal_at},
};

/// How the goods of an order are reserved.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ConfirmOrder")]
pub struct Confirm {
    /// The warehouse from which it is filled if it can be.
    #[serde(default)]
    pub warehouse: Option<WarehouseId>,
    /// Whether it is filled before others that wait for goods: 1 is first, 9 is last, 5 when not given.
    #[serde(default)]
    pub priority: Option<Priority>,
}

/// Confirms an order and reserves its goods. What is not there waits.
pub async fn confirm(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OrderId,
    request: Confirm,
) -> Result<Outcome, Problem> {
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                if let Some(warehouse) = request.warehouse {
                    warehouse::must_exist(work, "/warehouse", warehouse).await?;
                }
                let is_confirmed = matches!(work.load::<Order>(id).await?, Order::Confirmed { .. });
                orders::decide(work, caller, id, order::Command::Confirm).await?;
                if !is_confirmed {
                    reserve(work, id, request).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Cancels an order, or what of it has not left, and releases its goods.
pub async fn cancel(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OrderId,
    Cancel { reason }: Cancel,
) -> Result<Outcome, Problem> {
    let reason = &reason;
    services
        .execute(caller, digest, &|work| deciding(cancel_in(work, caller, id, reason.clone())))
        .await
}

async fn cancel_in(
    work: &mut Work,
    caller: &Caller,
    id: OrderId,
    reason: Option<Note>,
) -> Result<(), Failure> {
    let before = outstanding(work.load::<Order>(id).await?);
    orders::decide(work, caller, id, order::Command::Cancel { reason }).await?;
    release(work, id, &before).await
}

/// An order line with what of it has not left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outstanding {
    line: u32,
    product: ProductId,
    quantity: Quantity,
}

/// The lines of a confirmed order of which something has not left.
pub(crate) fn outstanding(order: &Order) -> Vec<Outstanding> {
    let Ok(terms) = order.terms() else { return vec![] };
    let lines = order.outstanding().into_iter();
    lines
        .filter_map(|order::Item { line, quantity }| {
            Some(Outstanding { line, product: terms.lines.line(line)?.product, quantity })
        })
        .collect()
}

/// Reserves what is outstanding of an order that is confirmed now.
pub(crate) async fn reserve(work: &mut Work, id: OrderId, request: Confirm) -> Result<(), Failure> {
    let order = work.load::<Order>(id).await?;
    let (lines, placed_on) = (outstanding(order), order.placed_on());
    reserve_lines(work, id, &lines, (placed_on, request)).await
}

async fn reserve_lines(
    work: &mut Work,
    id: OrderId,
    lines: &[Outstanding],
    (placed_on, request): (Option<Date>, Confirm),
) -> Result<(), Failure> {
    load(work, id, lines).await?;
    let placed_at = placed_at(id, placed_on);
    let Confirm { warehouse, priority } = request;
    let reserve = |Outstanding { line, product, quantity }| Command::Reserve {
        product,
        order: id,
        line,
        quantity,
        priority: priority.unwrap_or_default(),
        placed_at,
        preferred: warehouse,
    };
    for &one in lines {
        let Outstanding { line, product, quantity } = one;
        let Some(stock) = work.get::<Stock>(StockId::of(product)) else { continue };
        if stock.bundles().get(id, line).is_some() {
            continue;
        }
        if stock.is_tracked() {
            work.decide::<Stock>(StockId::of(product), reserve(one)).await?;
            continue;
        }
        let parts = tracked_parts(work, product);
        if parts.is_empty() {
            continue;
        }
        for &Part { product, quantity: in_one } in &parts {
            let quantity = times(quantity, in_one)?;
            let part = Outstanding { line, product, quantity };
            work.decide::<Stock>(StockId::of(product), reserve(part)).await?;
        }
        let bundle = Command::ReserveBundle { product, order: id, line, quantity, parts };
        work.decide::<Stock>(StockId::of(product), bundle).await?;
    }
    Ok(())
}

/// Releases what an order had of these lines.
pub(crate) async fn release(
    work: &mut Work,
    id: OrderId,
    lines: &[Outstanding],
) -> Result<(), Failure> {
    load(work, id, lines).await?;
    for &Outstanding { line, product, quantity } in lines {
        for (part, in_one) in held(work, id, line, product) {
            let quantity = Some(times(quantity, in_one)?);
            let command = Command::Release { product: part, order: id, line, quantity };
            work.decide::<Stock>(StockId::of(part), command).await?;
        }
    }
    Ok(())
}

/// What of an order can leave now: all that is outstanding, but of tracked products what is
/// allocated. `None` when it has no tracked products, or nothing of it can leave.
pub(crate) async fn shippable(
    work: &mut Work,
    id: OrderId,
    warehouse: Option<WarehouseId>,
) -> Result<Option<Vec<order::Item>>, Failure> {
    let lines = outstanding(work.load::<Order>(id).await?);
    load(work, id, &lines).await?;
    let (mut items, mut is_tracked) = (Vec::with_capacity(lines.len()), false);
    for Outstanding { line, product, quantity } in lines {
        let held = held(work, id, line, product);
        is_tracked |= !held.is_empty();
        let stock = |product| work.get::<Stock>(StockId::of(product));
        let has = held.iter().filter(|(part, _)| {
            // The stream of a bundle has no goods.
            stock(*part).is_some_and(|stock| stock.bundles().get(id, line).is_none())
        });
        let most = has.map(|(part, in_one)| {
            let reservation = stock(*part).and_then(|stock| stock.reservations().get(id, line));
            let allocated = reservation.map_or(Decimal::ZERO, |one| match warehouse {
                None => one.allocated(),
                Some(place) => one.allocated.get(&place).map_or(Decimal::ZERO, |q| q.units()),
            });
            if *part == product { allocated } else { (allocated / in_one.units()).floor() }
        });
        let most = most.min().unwrap_or(quantity.units()).min(quantity.units());
        items.extend(Quantity::new(most).ok().map(|quantity| order::Item { line, quantity }));
    }
    if is_tracked && items.is_empty() {
        return Err(Problem::new(StatusCode::CONFLICT, "stock.nothing_allocated")
            .detail("nothing of the order is allocated; its goods wait for a receipt")
            .into());
    }
    Ok(is_tracked.then_some(items))
}

/// Reserves lines that were confirmed before their products were tracked.
pub(crate) async fn reserve_missing(
    work: &mut Work,
    id: OrderId,
    items: Option<&[order::Item]>,
) -> Result<(), Failure> {
    let order = work.load::<Order>(id).await?;
    let (mut lines, placed_on) = (outstanding(order), order.placed_on());
    if let Some(items) = items {
        lines.retain(|one| items.iter().any(|item| item.line == one.line));
    }
    load(work, id, &lines).await?;
    lines.retain(|one| held(work, id, one.line, one.product).is_empty());
    reserve_lines(work, id, &lines, (placed_on, Confirm::default())).await
}

/// What leaves of an order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leaving<'a> {
    pub(crate) order: OrderId,
    pub(crate) shipment: ShipmentId,
    pub(crate) terms: &'a order::Terms,
    pub(crate) items: &'a [order::Item],
    pub(crate) warehouse: Option<WarehouseId>,
    pub(crate) on: Date,
}

/// Takes what leaves from what is allocated to its order lines. The error is at the item.
pub(crate) async fn ship(work: &mut Work, leaving: Leaving<'_>) -> Result<(), Failure> {
    let Leaving { order: id, shipment, terms, items, warehouse, on } = leaving;
    let lines: Vec<Outstanding> = items
        .iter()
        .filter_map(|&order::Item { line, quantity }| {
            Some(Outstanding { line, product: terms.lines.line(line)?.product, quantity })
        })
        .collect();
    load(work, id, &lines).await?;
    for (index, Outstanding { line, product, quantity }) in lines.into_iter().enumerate() {
        for (part, in_one) in held(work, id, line, product) {
            let quantity = times(quantity, in_one)?;
            let command =
                Command::Ship { product: part, order: id, line, shipment, quantity, warehouse, on };
            work.decide::<Stock>(StockId::of(part), command)
                .await
                .map_err(|error| refusal_at(error, |_| Some(format!("/items/{index}/quantity"))))?;
        }
    }
    Ok(())
}

/// Loads the products of lines and their stock, with that of the parts of bundles.
async fn load(work: &mut Work, id: OrderId, lines: &[Outstanding]) -> Result<(), Failure> {
    let products: HashSet<ProductId> = lines.iter().map(|line| line.product).collect();
    work.load_many::<Product>(products.iter().map(|product| product.0)).await?;
    let mut stocks: HashSet<ProductId> = products.clone();
    for product in &products {
        stocks.extend(parts(work, *product).into_iter().map(|part| part.product));
    }
    work.load_many::<Stock>(stocks.iter().map(|product| StockId::of(*product).0)).await?;
    // The parts that bundles had when they were reserved may be others by now.
    let bundle = |line: &Outstanding| {
        let stock = work.get::<Stock>(StockId::of(line.product))?;
        stock.bundles().get(id, line.line)
    };
    let reserved: HashSet<ProductId> = lines
        .iter()
        .filter_map(bundle)
        .flat_map(|bundle| bundle.parts.iter().map(|part| part.product))
        .filter(|part| !stocks.contains(part))
        .collect();
    work.load_many::<Stock>(reserved.iter().map(|product| StockId::of(*product).0)).await?;
    Ok(())
}

/// Whose stock has something reserved for an order line, and how much of it is in one unit of the
/// line: the product itself, or a bundle and its parts.
fn held(work: &Work, id: OrderId, line: u32, product: ProductId) -> Vec<(ProductId, Quantity)> {
    let Some(stock) = work.get::<Stock>(StockId::of(product)) else { return vec![] };
    let itself = (product, Quantity::ONE);
    match stock.bundles().get(id, line) {
        Some(bundle) => {
            let parts = bundle.parts.iter().map(|part| (part.product, part.quantity));
            std::iter::once(itself).chain(parts).collect()
        }
        None if stock.reservations().get(id, line).is_some() => vec![itself],
        None => vec![],
    }
}

fn parts(work: &Work, product: ProductId) -> Vec<Part> {
    let item = work.get::<Product>(product).and_then(|product| product.item().ok());
    let parts = item.map(|item| item.details().parts.as_slice()).unwrap_or_default();
    parts.iter().map(|part| Part { product: part.product, quantity: part.quantity }).collect()
}

fn tracked_parts(work: &Work, product: ProductId) -> Vec<Part> {
    let is_tracked =
        |part: &Part| work.get::<Stock>(StockId::of(part.product)).is_some_and(Stock::is_tracked);
    let mut parts = parts(work, product);
    parts.retain(is_tracked);
    parts
}

/// So many units of a line need so much of a part.
fn times(quantity: Quantity, in_one: Quantity) -> Result<Quantity, Failure> {
    let needed = (quantity.units() * in_one.units()).round_dp(3);
    Quantity::new(needed).map_err(|_| crate::failure::refusal(&stock::Error::TooMuch).into())
}

/// When an order was placed, as far as that is known: its id tells the time of an order that was
/// placed on the day on which it was entered.
fn placed_at(id: OrderId, placed_on: Option<Date>) -> Timestamp {
    let midnight = placed_on.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
    let midnight = midnight.map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp());
    let entered = id.0.get_timestamp().map(|stamp| stamp.to_unix());
    let entered = entered.and_then(|(seconds, nanoseconds)| {
        let nanoseconds = i32::try_from(nanoseconds).ok()?;
        Timestamp::new(i64::try_from(seconds).ok()?, nanoseconds).ok()
    });
    let is_of_that_day = |at: &Timestamp| {
        let day = at.to_zoned(TimeZone::UTC).date();
        placed_on.is_some_and(|placed_on| {
            (placed_on.saturating_sub(1.day())..=placed_on.saturating_add(1.day())).contains(&day)
        })
    };
    entered.filter(is_of_that_day).unwrap_or(midnight)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_id_tells_the_time_of_its_own_day_only() {
        let at = uuid::Timestamp::from_unix_time(1_772_000_000, 0, 0, 0);
        let id = OrderId(Uuid::new_v7(at));
        let check = |day: &str, then: i64| {
            assert_eq!(placed_at(id, Some(day.parse().unwrap())).as_second(), then, "{day}");
        };
        check("2026-02-25", 1_772_000_000);
        check("2026-02-20", 1_771_545_600);
        let derived = OrderId(Uuid::new_v5(&Uuid::nil(), b"order"));
        let midnight = placed_at(derived, Some("2026-02-20".parse().unwrap()));
        assert_eq!(midnight.as_second(), 1_771_545_600);
    }
}
