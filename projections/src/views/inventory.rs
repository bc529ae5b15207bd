//! Read models of the inventory context.

pub mod stock;
