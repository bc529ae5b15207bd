//! Read models of the fulfilment context.

pub mod pick_lists;
pub mod shipments;
