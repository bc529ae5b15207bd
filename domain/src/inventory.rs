//! Inventory: the goods in the seller's warehouses.

pub mod stock;
pub mod warehouse;

use crate::kernel::events::events;

pub use stock::Stock;
pub use warehouse::Warehouse;

events! {
    /// Of stock.
    Stock(stock),
    /// Of a warehouse.
    Warehouse(warehouse),
}
