//! Inventory: how much there is of a product.

pub mod stock;

use crate::kernel::events::events;

pub use stock::Stock;

events! {
    /// Of stock.
    Stock(stock),
}
