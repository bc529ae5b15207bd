//! Shipments.

pub mod shipment;
