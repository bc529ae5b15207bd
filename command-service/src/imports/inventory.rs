//! Imports of inventory.

pub(crate) mod stock;
pub(crate) mod stock_feed;
