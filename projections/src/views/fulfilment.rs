//! Read models of the fulfilment context.

pub mod shipments;
