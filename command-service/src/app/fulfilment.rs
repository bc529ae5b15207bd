//! Pick lists and shipments.

pub mod pick_list;
pub mod shipment;
