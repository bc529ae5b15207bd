//! Tests of the catalogue context.

mod assortments;
#[allow(clippy::module_inception, reason = "the context is named after its main resource")]
pub(crate) mod catalogue;
mod catalogue_order;
mod products;
mod remembered;
