//! Queries of price agreements, prices and discounts.

pub mod discounts;
pub mod price_agreements;
pub mod prices;
