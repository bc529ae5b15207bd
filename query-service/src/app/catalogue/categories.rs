//! The product tree.

use projections::views::catalogue::categories::{self, Category, Filter};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::ReadTrade;
use service_kit::{
    page::{Listing, Page},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    app::{one_more, only},
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[categories::PROJECTION.name];

/// Which categories to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only the children of this category.
    pub parent: Option<Uuid>,
    /// Only root categories.
    #[serde(default)]
    pub roots: bool,
}

/// Categories, in the order in which they were opened.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { parent, roots } }: Listing<List>,
) -> Result<Page<Category>, Problem> {
    asker.require::<ReadTrade>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { id: None, parent, roots };
    let items =
        categories::list(&client, filter, cursor, one_more(limit)).await.map_err(problem)?;
    Ok(Page::of(items, limit, |category| category.created))
}

/// One category.
pub async fn show(queries: &Queries, asker: &Asker, id: Uuid) -> Result<Category, Problem> {
    asker.require::<ReadTrade>()?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { id: Some(id), ..Filter::default() };
    only(categories::list(&client, filter, None, 1).await.map_err(problem)?)
}
