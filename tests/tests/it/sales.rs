//! Tests of the sales context.

mod credit_accounts;
pub(crate) mod documents;
mod inboxes;
pub(crate) mod negotiations;
mod offer_statistics;
mod offer_templates;
mod offers;
mod orders;
pub(crate) mod quotation_requests;
