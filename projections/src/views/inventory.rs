//! Read models of the inventory context.

pub mod backorders;
pub mod stock;
pub mod stock_levels;
pub mod warehouses;
