//! Read models of the pricing context.

pub mod discounts;
pub mod price_agreements;
pub mod prices;
