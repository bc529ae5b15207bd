//! Imports of the catalogue.

pub(crate) mod assortments;
pub(crate) mod product_codes;
pub(crate) mod products;
