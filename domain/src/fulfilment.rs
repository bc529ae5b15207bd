//! Fulfilment: goods that leave.

pub mod shipment;

pub use shipment::Shipment;
