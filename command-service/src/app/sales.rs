//! Carts, requests for quotation, offers, negotiations, orders, and approvals.

pub mod approval_rules;
pub mod approvals;
pub mod cart;
pub mod credit_account;
pub mod lines;
pub(crate) mod negotiating;
pub mod negotiation;
pub mod offer;
pub mod offer_template;
pub(crate) mod offering;
pub mod offerings;
pub mod order;
pub(crate) mod order_checks;
pub mod order_list;
pub mod order_promise;
pub(crate) mod ordering;
pub mod purchase_rows;
pub mod quotation_lines;
pub mod quotation_request;
pub mod standing_order;
