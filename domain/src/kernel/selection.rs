//! Of which products something holds: all, a category with those below it, or one product.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{CategoryId, ProductId};

/// Of which products something holds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Selection {
    /// All that is sold.
    Everything,
    /// A category, with those below it.
    Category {
        /// Which one.
        category: CategoryId,
    },
    /// A product.
    Product {
        /// Which one.
        product: ProductId,
    },
}

impl Selection {
    /// Every selection to which a product belongs, the most specific first: itself; its category
    /// and those above it, nearest first; then everything.
    pub fn of(product: ProductId, categories: &[CategoryId]) -> Vec<Self> {
        let categories = categories.iter().map(|&category| Self::Category { category });
        std::iter::once(Self::Product { product })
            .chain(categories)
            .chain([Self::Everything])
            .collect()
    }
}
