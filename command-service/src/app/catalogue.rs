//! Products, categories, assortments, and companies' own product codes.

pub mod assortment;
pub(crate) mod assortment_context;
pub mod category;
pub(crate) mod category_paths;
pub mod product;
pub mod product_code;
pub(crate) mod trees;
