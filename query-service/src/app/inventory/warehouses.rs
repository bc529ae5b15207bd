//! Where the seller keeps goods.

use domain::WarehouseCode;
use projections::views::inventory::warehouses::{self, Filter, Warehouse};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::ReadWarehouses;
use service_kit::{
    page::{Listing, Page},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    app::{one_more, only, stored_form},
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[warehouses::PROJECTION.name];

/// Which warehouses.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The one with this code.
    pub code: Option<String>,
}

/// Warehouses, in order of opening.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { code } }: Listing<List>,
) -> Result<Page<Warehouse>, Problem> {
    asker.require::<ReadWarehouses>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { id: None, code: stored_form::<WarehouseCode>(code) };
    let items = warehouses::list(&client, &filter, cursor, one_more(limit)).await;
    Ok(Page::of(items.map_err(problem)?, limit, |warehouse| warehouse.created))
}

/// One warehouse.
pub async fn show(queries: &Queries, asker: &Asker, id: Uuid) -> Result<Warehouse, Problem> {
    asker.require::<ReadWarehouses>()?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { id: Some(id), ..Filter::default() };
    only(warehouses::list(&client, &filter, None, 1).await.map_err(problem)?)
}
