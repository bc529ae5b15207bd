//! Queries of invoices, payments and account balances.

pub mod account_balances;
pub mod invoices;
pub mod payments;
