//! Queries of products, categories, assortments and the catalogue of a company.

pub mod assortments;
#[allow(clippy::module_inception, reason = "the context is named after its main resource")]
pub mod catalogue;
pub mod categories;
pub mod product_codes;
pub mod products;
