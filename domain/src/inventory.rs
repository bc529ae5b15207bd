//! Inventory: how much there is of a product.

pub mod stock;

pub use stock::Stock;
