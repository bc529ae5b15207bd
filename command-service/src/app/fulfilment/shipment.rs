//! Shipments: goods of orders leave.

pub mod delivery;
pub mod preparation;

use domain::{
    Line, Lines, Name, Order, OrderId, Product, Reference, Shipment, ShipmentId, WarehouseId,
    order, shipment, vat::Totals,
};
use event_log::{Outcome, Work};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use crate::{
    app::{
        Services, deciding,
        inventory::{order_reservation, warehouse},
        sales::credit_account,
    },
    caller::Caller,
    failure::{Failure, happened, refusal, refusal_at},
};

/// A dispatch of goods of one order.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DispatchShipment")]
pub struct DispatchRequest {
    pub order: OrderId,
    /// Which lines and how much of them. When not given: all that is outstanding, but of products
    /// whose stock is kept per warehouse only what is allocated to the order.
    #[serde(default)]
    pub items: Option<Vec<order::Item>>,
    /// The warehouse that it leaves; when not given, goods leave where they are allocated.
    #[serde(default)]
    pub warehouse: Option<WarehouseId>,
    #[serde(default)]
    pub courier: Option<Name>,
    #[serde(default)]
    pub tracking: Option<Reference>,
    /// The day of dispatch, if entered later; today when not given.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub dispatched_on: Option<Date>,
}

/// Dispatches goods of an order. A policy issues the invoice.
pub async fn dispatch(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    request: DispatchRequest,
) -> Result<Outcome, Problem> {
    let (id, today) = (ShipmentId(Uuid::now_v7()), services.clock.today());
    if let Some(dispatched_on) = request.dispatched_on {
        happened("/dispatched_on", dispatched_on, today)?;
    }
    let request = &request;
    services.execute(caller, digest, &|work| deciding(ship(work, id, request.clone(), today))).await
}

/// Ships the items on the order and records the shipment, in one append.
async fn ship(
    work: &mut Work,
    id: ShipmentId,
    request: DispatchRequest,
    today: Date,
) -> Result<(), Failure> {
    let DispatchRequest { order, items, warehouse, courier, tracking, dispatched_on } = request;
    if let Some(warehouse) = warehouse {
        warehouse::must_exist(work, "/warehouse", warehouse).await?;
    }
    let before = work.load::<Order>(order).await?;
    // The order may have been placed by a process whose clock is ahead of this one's.
    let on =
        dispatched_on.unwrap_or_else(|| before.placed_on().map_or(today, |day| day.max(today)));
    let leaving = Leaving { order, items: items.as_deref(), warehouse, courier, tracking, on };
    let dispatch = give_up(work, id, leaving).await?;
    work.decide::<Shipment>(id, shipment::Command::Dispatch(dispatch)).await?;
    work.answer(id);
    Ok(())
}

/// What leaves of one order.
#[derive(Debug)]
struct Leaving<'a> {
    order: OrderId,
    /// As the body names them; all that can leave when it does not.
    items: Option<&'a [order::Item]>,
    /// The warehouse that it leaves, if the body names one.
    warehouse: Option<WarehouseId>,
    courier: Option<Name>,
    tracking: Option<Reference>,
    on: Date,
}

/// An order gives up what leaves: the dispatch of it.
async fn give_up(
    work: &mut Work,
    id: ShipmentId,
    leaving: Leaving<'_>,
) -> Result<shipment::Dispatch, Failure> {
    let Leaving { order, items, warehouse, courier, tracking, on } = leaving;
    let before = work.load::<Order>(order).await?.clone();
    order_reservation::reserve_missing(work, order, items).await?;
    let items = match items {
        Some(items) => Some(items.to_vec()),
        None => order_reservation::shippable(work, order, warehouse).await?,
    };
    let command = order::Command::Ship { shipment: id, items: items.clone(), on };
    work.decide::<Order>(order, command)
        .await
        .map_err(|error| refusal_at(error, |error| place_of(error, items.as_deref()?)))?;
    let terms = before.terms().map_err(|error| refusal(&error))?;
    let items = items.unwrap_or_else(|| before.outstanding());
    let reserved =
        order_reservation::Leaving { order, shipment: id, terms, items: &items, warehouse, on };
    order_reservation::ship(work, reserved).await?;
    let mut lines = terms.lines_of(&items);
    check_quantities(work, &lines, "/items").await?;
    set_vat_rates(work, &mut lines, on);
    let lines = Lines::try_from(lines).map_err(|_| refusal(&order::Error::NoItems))?;
    let gross = Totals::of(&lines, terms.currency).map(|totals| totals.gross);
    let gross = gross.map_err(|error| refusal(&order::Error::from(error)))?;
    credit_account::deliver(work, order, terms, (id, gross)).await?;
    Ok(shipment::Dispatch {
        company: terms.company,
        order,
        currency: terms.currency,
        lines,
        payment_term: terms.payment_term,
        courier,
        tracking,
        on,
    })
}

/// The JSON pointer of the item that the order refuses.
fn place_of(error: &order::Error, items: &[order::Item]) -> Option<String> {
    use order::Error as E;
    let (line, field) = match error {
        E::NamedTwice { line } | E::NothingOutstanding { line } => (line, "line"),
        E::TooMuch { line, .. } => (line, "quantity"),
        _ => return None,
    };
    // Of two items with the same line, the second one is reported.
    let index = items.iter().rposition(|item| item.line == *line)?;
    Some(format!("/items/{index}/{field}"))
}

/// Sets the VAT rates of the day of dispatch, which may differ from those of the day of the order.
///
/// Source: ustawa o podatku od towarów i usług, art. 41 ust. 14a.
fn set_vat_rates(work: &Work, lines: &mut [Line], on: Date) {
    for line in lines {
        if let Some(Ok(item)) = work.get::<Product>(line.product).map(Product::item) {
            line.vat_rate = item.vat_rate(on);
        }
    }
}

/// Half of what is sold by the piece stays where it is.
async fn check_quantities(work: &mut Work, lines: &[Line], items: &str) -> Result<(), Failure> {
    work.load_many::<Product>(lines.iter().map(|line| line.product.0)).await?;
    for (index, line) in lines.iter().enumerate() {
        let Some(product) = work.get::<Product>(line.product) else { continue };
        product.can_leave(line.quantity).map_err(|error| {
            let at = format!("{items}/{index}/quantity");
            refusal(&error).field(FieldError::at(at, error.to_string()))
        })?;
    }
    Ok(())
}
