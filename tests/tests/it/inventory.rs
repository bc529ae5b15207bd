//! Tests of the inventory context.

mod scarce;
mod stock;
mod stock_feed;
mod warehouses;
