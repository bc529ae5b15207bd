//! Use cases of pricing.

pub(crate) mod pricing_context;
