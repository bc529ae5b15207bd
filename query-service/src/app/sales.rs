//! Queries of quotation requests, offers, negotiations, orders and approvals.

pub mod approval_rules;
pub mod approvals;
pub mod inboxes;
pub mod negotiations;
pub mod offer_statistics;
pub mod offer_templates;
pub mod offers;
pub mod orders;
pub mod quotation_requests;
