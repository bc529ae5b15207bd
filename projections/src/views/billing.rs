//! Read models of the billing context.

pub mod account_balances;
pub mod invoices;
pub mod payments;
