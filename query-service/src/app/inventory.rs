//! Warehouses, and what there is in them.

pub mod backorders;
pub mod stock;
pub mod stock_levels;
pub mod warehouses;
