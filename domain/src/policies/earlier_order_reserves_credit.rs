//! An order that was placed before there were credit accounts reserves credit while it is open.

use crate::{
    kernel::{Money, OrderId, money::MoneyError, vat::Totals},
    sales::{
        credit_account::Change,
        order::{self, Order},
    },
};

/// Whether nothing was reserved for an order when it was placed.
pub const fn concerns(event: &order::Event) -> bool {
    matches!(event, order::Event::Placed { gross: None, .. })
}

/// What is reserved for an order that is open: what of it has not left. It was accepted, so it is not
/// put on hold.
pub fn react(
    id: OrderId,
    order: &Order,
    at: jiff::Timestamp,
) -> Result<Option<Change>, MoneyError> {
    let Ok(terms) = order.terms() else { return Ok(None) };
    let amount: Money = match order {
        Order::Confirmed { .. } => {
            Totals::of(&terms.lines_of(&order.outstanding()), terms.currency)?.gross
        }
        _ => terms.gross()?,
    };
    let company = terms.company;
    let change =
        Change::Reserve { company, order: id, amount, at, grace_days: None, may_hold: false };
    Ok(Some(change))
}
