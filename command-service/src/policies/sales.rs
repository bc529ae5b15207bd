//! Policies that change sales.

pub(crate) mod accepted_offer_places_order;
pub(crate) mod document_counts_as_credit;
pub(crate) mod earlier_order_reserves_credit;
pub(crate) mod payment_counts_as_credit;
pub(crate) mod released_credit_frees_order;

/// With the id of a company, names the line of what counts in its credit account. No history has such
/// an id.
const LINE: &[u8] = b"credit";
