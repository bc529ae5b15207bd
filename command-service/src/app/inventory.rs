//! Stock.

pub mod stock;
