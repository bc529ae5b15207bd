//! Where products stand in the tree of categories: the facts that assortments and prices ask for.

use domain::{Category, CategoryId, category};
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
        // `Category` lets nothing be above itself; this only bounds the work.
        next = branch.parent.filter(|_| path.len() < Category::MOST_ABOVE);
        path.push(id);
    }
    Ok(path)
}

/// Whether products can be put into a category.
pub(crate) fn takes(work: &Work, category: CategoryId) -> Result<(), category::Error> {
    let category = work.get::<Category>(category).ok_or(category::Error::Unopened)?;
    category.taking().map(|_| ())
}
