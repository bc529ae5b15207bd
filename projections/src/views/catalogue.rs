//! Read models of the catalogue context.

pub mod assortments;
#[allow(clippy::module_inception, reason = "the context is named after its main read model")]
pub mod catalogue;
pub mod categories;
pub mod product_codes;
