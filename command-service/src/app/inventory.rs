//! Warehouses, stock, and what orders reserve of it.

pub mod order_reservation;
pub mod stock;
pub mod warehouse;
