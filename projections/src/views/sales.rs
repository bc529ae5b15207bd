//! Read models of the sales context.

pub mod approval_rules;
pub mod approvals;
pub mod carts;
pub mod credit_accounts;
pub mod inboxes;
pub mod negotiations;
pub mod offer_statistics;
pub mod offer_templates;
pub mod offers;
pub mod order_lists;
pub mod order_timeline;
pub mod orders;
pub mod quotation_requests;
pub mod standing_orders;
