//! Policies: what follows from an event by itself. Pure functions from event, and facts, to
//! commands; the command-service runs them, each with a checkpoint of its own.

pub mod accepted_offer_places_order;
pub mod booked_payment_is_allocated;
pub mod claim_holds_normal_form;
pub mod dispatch_issues_invoice;
pub mod document_counts_as_credit;
pub mod earlier_order_reserves_credit;
pub mod employee_keeps_keys;
pub mod invoice_counts_as_purchase;
pub mod issued_document_is_settled;
pub mod payment_counts_as_credit;
pub mod released_credit_frees_order;
