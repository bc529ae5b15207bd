//! Imports of catalogue.

pub(crate) mod assortments;
pub(crate) mod product_codes;
pub(crate) mod products;
