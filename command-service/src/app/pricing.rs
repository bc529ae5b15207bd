//! Price agreements, prices and discounts.

pub mod discount;
pub mod price_agreement;
pub(crate) mod pricing_context;
