//! What can be asked of the platform, by context: each use case loads, decides and appends.

pub(crate) mod catalogue;
pub mod parties;
pub(crate) mod pricing;
pub(crate) mod sales;
