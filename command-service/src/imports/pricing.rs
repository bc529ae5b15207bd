//! Imports of pricing.

pub(crate) mod prices;
