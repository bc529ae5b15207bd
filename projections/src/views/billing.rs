//! Read models of the billing context.

pub mod account_balances;
pub mod bought_products;
pub mod goods_returns;
pub mod invoices;
pub mod payments;
