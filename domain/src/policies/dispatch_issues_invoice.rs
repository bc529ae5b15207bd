//! What left is invoiced, on the day it left and at the order's prices.

use crate::{
    billing::invoice::Sale,
    fulfilment::shipment,
    kernel::{InvoiceId, ShipmentId},
};

/// The invoice that follows from an event of a shipment. Its number is taken from the series of
/// the sale's day in the same append. That annex 15 has some of the goods is a fact of the products.
pub fn react(shipment: ShipmentId, event: &shipment::Event, annex_15: bool) -> (InvoiceId, Sale) {
    let shipment::Event::Dispatched { dispatch } = event;
    (
        InvoiceId::of_shipment(shipment),
        Sale {
            company: dispatch.company,
            order: dispatch.order,
            shipment,
            currency: dispatch.currency,
            lines: dispatch.lines.clone(),
            payment_term: dispatch.payment_term,
            annex_15,
            on: dispatch.on,
        },
    )
}
