//! Categories: the product tree.

use domain::{
    Category, CategoryId,
    category::{self, Command},
};
use event_log::Outcome;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;
use uuid::Uuid;

use crate::{
    app::{Services, catalogue::trees, deciding},
    caller::Caller,
};

/// A category to open.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OpenCategory")]
pub struct Open {
    /// The name.
    pub title: category::Title,
    /// The parent category; a root category when not given.
    #[serde(default)]
    pub parent: Option<CategoryId>,
}

/// Opens a category.
pub async fn open(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    Open { title, parent }: Open,
) -> Result<Outcome, Problem> {
    let id = CategoryId(Uuid::now_v7());
    let title = &title;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                trees::open(work, id, title.clone(), parent).await?;
                Ok(())
            })
        })
        .await
}

/// The new name.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RenameCategory")]
pub struct Rename {
    pub title: category::Title,
}

/// Renames a category.
pub async fn rename(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CategoryId,
    Rename { title }: Rename,
) -> Result<Outcome, Problem> {
    services.decide::<Category>(caller, digest, id, Command::Rename { title }).await
}

/// The new parent; `null` makes it a root category.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MoveCategory")]
pub struct MoveBelow {
    pub parent: Option<CategoryId>,
}

/// Moves a category with its subcategories.
pub async fn move_below(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CategoryId,
    MoveBelow { parent }: MoveBelow,
) -> Result<Outcome, Problem> {
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                work.lend(services.views.clone());
                trees::move_below(work, id, parent).await?;
                Ok(())
            })
        })
        .await
}

/// Closes a category to further products.
pub async fn close(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CategoryId,
) -> Result<Outcome, Problem> {
    services.decide::<Category>(caller, digest, id, Command::Close).await
}
