//! Fulfilment: goods that leave.

pub mod shipment;

use crate::kernel::events::events;

pub use shipment::Shipment;

events! {
    /// Of a shipment.
    Shipment(shipment),
}
