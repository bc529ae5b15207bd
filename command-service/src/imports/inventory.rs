//! Imports of inventory.

pub(crate) mod stock;
