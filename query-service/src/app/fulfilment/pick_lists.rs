//! What is picked together, and what was found of it.

use projections::views::fulfilment::pick_lists::{self, PickList, PickListSummary, Status};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::ReadPicking;
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

const VIEWS: &[&str] = &[pick_lists::PROJECTION.name];

/// Which pick lists.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ListPickLists")]
pub struct List {
    /// Those with this status.
    pub status: Option<Status>,
}

/// Pick lists without their lines, newest first.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { status } }: Listing<List>,
) -> Result<Page<PickListSummary>, Problem> {
    asker.require::<ReadPicking>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let client = asker.client(queries, VIEWS).await?;
    let items = pick_lists::summaries(&client, status, cursor, one_more(limit)).await;
    Ok(Page::of(items.map_err(problem)?, limit, |item| item.created))
}

/// One pick list.
pub async fn show(queries: &Queries, asker: &Asker, id: Uuid) -> Result<PickList, Problem> {
    asker.require::<ReadPicking>()?;
    let client = asker.client(queries, VIEWS).await?;
    only(pick_lists::list(&client, (Some(id), None), None, 1).await.map_err(problem)?)
}
