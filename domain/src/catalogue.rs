//! Catalogue: products, their categories and codes, and which company sees which of them.

pub mod assortment;
pub mod category;
pub mod product;
pub mod product_code;
pub mod tree;

use crate::kernel::events::events;

pub use assortment::Assortment;
pub use category::Category;
pub use product::Product;
pub use product_code::ProductCode;
pub use tree::Tree;

events! {
    /// Of an assortment.
    Assortment(assortment),
    /// Of a category.
    Category(category),
    /// Of a product.
    Product(product),
    /// Of a product code.
    ProductCode(product_code),
    /// Of a tree.
    Tree(tree),
}
