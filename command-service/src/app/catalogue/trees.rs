//! The category tree: opening and moving categories.

use deadpool_postgres::Object;
use domain::{Category, CategoryId, category, tree::Kind};
use event_log::Work;
use projections::{ReadError, views::catalogue::categories};
use uuid::Uuid;

use crate::{
    app::{
        catalogue::category_paths,
        parties::trees::{Node, levels_to_check, record},
    },
    failure::Failure,
};

impl Node for Category {
    const TREE: Kind = Kind::Categories;
    const READ_MODEL: &'static str = categories::PROJECTION.name;

    fn parent(&self) -> Option<Option<Uuid>> {
        Some(self.branch().ok()?.parent.map(Uuid::from))
    }

    async fn right_below(client: &Object, level: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, ReadError> {
        categories::right_below(client, level).await
    }
}

/// Opens a category below its parent.
pub(crate) async fn open(
    work: &mut Work,
    id: CategoryId,
    title: category::Title,
    parent: Option<CategoryId>,
) -> Result<(), Failure> {
    let above = path_of(work, parent).await?;
    work.decide::<Category>(id, category::Command::Open { id, title, above }).await?;
    record::<Category>(work, id.0, parent.map(Uuid::from)).await
}

/// Moves a category with its subcategories.
pub(crate) async fn move_below(
    work: &mut Work,
    id: CategoryId,
    parent: Option<CategoryId>,
) -> Result<(), Failure> {
    let above = path_of(work, parent).await?;
    work.load::<Category>(id).await?;
    let below = levels_to_check::<Category>(work, id.0, parent.map(Uuid::from)).await?;
    let before = work.events();
    work.decide::<Category>(id, category::Command::Move { above, below }).await?;
    if work.events() > before {
        record::<Category>(work, id.0, parent.map(Uuid::from)).await?;
    }
    Ok(())
}

async fn path_of(work: &mut Work, parent: Option<CategoryId>) -> Result<Vec<CategoryId>, Failure> {
    match parent {
        Some(parent) => category_paths::path_of(work, parent).await,
        None => Ok(vec![]),
    }
}
