//! Which products can be sold now.

use domain::stock;
use uuid::Uuid;

use super::places::{self, IN_STOCK};
use crate::{Change, projection::change};

const STOCK: &str = "UPDATE catalogue SET in_stock = $2 WHERE id = $1 AND in_stock <> $2";

/// Movements and reservations change nothing here until the product runs out or is replenished.
pub(super) fn changes(event: &stock::Event) -> Vec<Change> {
    use stock::Event as E;
    match event {
        E::Reported { product, available, .. } => stocked(product.0, available.0.is_some()),
        E::RanOut { product } => stocked(product.0, false),
        E::Replenished { product } => stocked(product.0, true),
        E::Configured { .. }
        | E::ReceiptExpected { .. }
        | E::ReceiptRescheduled { .. }
        | E::ReceiptCancelled { .. }
        | E::Received { .. }
        | E::Adjusted { .. }
        | E::Counted { .. }
        | E::Transferred { .. }
        | E::Withdrawn { .. }
        | E::Returned { .. }
        | E::Reserved { .. }
        | E::Allocated { .. }
        | E::Deallocated { .. }
        | E::Released { .. }
        | E::Shipped { .. }
        | E::BundleReserved { .. }
        | E::BundleReleased { .. }
        | E::BundleShipped { .. } => vec![],
    }
}

/// Stock levels are reported often; most of them change nothing here.
fn stocked(id: Uuid, in_stock: bool) -> Vec<Change> {
    let place = if in_stock { places::stands } else { places::leaves };
    let mut changes: Vec<Change> = places::recounted(id, in_stock).into();
    changes.extend([change!(STOCK, id, in_stock), place(id, IN_STOCK)]);
    changes
}
