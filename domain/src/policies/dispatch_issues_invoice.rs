//! What left is invoiced, on the day it left and at the order's prices: one invoice per order.

use crate::{
    billing::invoice::Sale,
    fulfilment::shipment::{self, Dispatch},
    kernel::{InvoiceId, ShipmentId},
};

/// What left with an event of a shipment, and the id of the invoice for it.
pub fn invoiced(shipment: ShipmentId, event: &shipment::Event) -> Option<(InvoiceId, &Dispatch)> {
    use shipment::Event as E;
    match event {
        E::Dispatched { dispatch } => Some((InvoiceId::of_shipment(shipment), dispatch)),
        E::FurtherOrderDispatched { dispatch } => {
            Some((InvoiceId::of_further_order(shipment, dispatch.order), dispatch))
        }
        E::Prepared { .. }
        | E::Packed { .. }
        | E::Cancelled {}
        | E::Delivered { .. }
        | E::DeliveryFailed { .. }
        | E::ReturnedToSender { .. } => None,
    }
}

/// The invoice of what left. Its number is taken from the series of the sale's day in the same
/// append. That annex 15 has some of the goods is a fact of the products.
pub fn react(shipment: ShipmentId, dispatch: &Dispatch, annex_15: bool) -> Sale {
    Sale {
        company: dispatch.company,
        order: dispatch.order,
        shipment,
        currency: dispatch.currency,
        lines: dispatch.lines.clone(),
        payment_term: dispatch.payment_term,
        annex_15,
        on: dispatch.on,
    }
}
