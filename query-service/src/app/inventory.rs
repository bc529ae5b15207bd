//! Queries of stock.

pub mod stock;
