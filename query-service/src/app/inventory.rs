//! Questions about stock.

pub mod stock;
