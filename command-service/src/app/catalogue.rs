//! Use cases of catalogue.

pub(crate) mod category_paths;
pub(crate) mod trees;
