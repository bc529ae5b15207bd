//! Tests of the sales context.

mod carts;
mod credit_accounts;
pub(crate) mod documents;
mod inboxes;
mod late_orders;
pub(crate) mod negotiations;
mod offer_statistics;
mod offer_templates;
mod offers;
mod order_lists;
mod orders;
pub(crate) mod quotation_requests;
mod standing_orders;
