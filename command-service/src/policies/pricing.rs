//! Policies that change pricing.

pub(crate) mod invoice_counts_as_purchase;
