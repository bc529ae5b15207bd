//! Policies that change billing.

pub(crate) mod booked_payment_is_allocated;
pub(crate) mod dispatch_issues_invoice;
pub(crate) mod issued_document_is_settled;
