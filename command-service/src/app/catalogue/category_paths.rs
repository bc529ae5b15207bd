//! Paths of products in the category tree: facts for assortments and prices.

use std::collections::BTreeSet;

use domain::{Category, CategoryId, Product, ProductId, category};
use event_log::Work;

use crate::failure::{Failure, refusal};

/// A category and those above it, nearest first.
pub(crate) async fn path_of(
    work: &mut Work,
    category: CategoryId,
) -> Result<Vec<CategoryId>, Failure> {
    let mut path = Vec::new();
    let mut next = Some(category);
    while let Some(id) = next {
        let branch = work.load::<Category>(id).await?.branch().map_err(|e| refusal(&e))?;
        path.push(id);
        // Up to the root, as in `company_hierarchy::line_of`.
        next = branch.parent.filter(|parent| !path.contains(parent));
    }
    Ok(path)
}

/// Loads the categories of loaded products and those above them, with one query per level of the
/// tree.
pub(crate) async fn load(work: &mut Work, products: &[ProductId]) -> Result<(), Failure> {
    let mut level: Vec<CategoryId> =
        products.iter().flat_map(|product| categories(work, *product)).copied().collect();
    let mut seen: BTreeSet<CategoryId> = level.iter().copied().collect();
    while !level.is_empty() {
        work.load_many::<Category>(level.iter().map(|id| id.0)).await?;
        let above = |id: CategoryId| work.get::<Category>(id)?.branch().ok()?.parent;
        level = level.into_iter().filter_map(above).filter(|id| seen.insert(*id)).collect();
    }
    Ok(())
}

/// The paths of a product's loaded categories, each nearest first.
pub(crate) fn paths(work: &Work, product: ProductId) -> Vec<Vec<CategoryId>> {
    let above = |id: CategoryId| work.get::<Category>(id)?.branch().ok()?.parent;
    let path = |category: CategoryId| {
        let (mut path, mut next) = (Vec::new(), Some(category));
        while let Some(id) = next {
            path.push(id);
            next = above(id).filter(|parent| !path.contains(parent));
        }
        path
    };
    categories(work, product).iter().copied().map(path).collect()
}

fn categories(work: &Work, product: ProductId) -> &[CategoryId] {
    let item = work.get::<Product>(product).and_then(|product| product.item().ok());
    item.map_or(&[], |item| &item.details().categories)
}

/// Checks that products can be assigned to a category.
pub(crate) fn takes(work: &Work, category: CategoryId) -> Result<(), category::Error> {
    let category = work.get::<Category>(category).ok_or(category::Error::Unopened)?;
    category.taking().map(|_| ())
}
