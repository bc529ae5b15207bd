//! Stock levels.

use domain::Sku;
use projections::views::{
    catalogue::catalogue,
    inventory::stock::{self, StockOf},
};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::ReadStock;
use service_kit::{
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::{one_more, stored_form},
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[catalogue::PROJECTION.name, stock::PROJECTION.name];

/// Which stock levels to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only the product with this SKU.
    pub sku: Option<String>,
}

/// Stock levels as last reported.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { sku } }: Listing<List>,
) -> Result<Page<StockOf>, Problem> {
    asker.require::<ReadStock>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let client = asker.client(queries, VIEWS).await?;
    let sku = stored_form::<Sku>(sku);
    let items = stock::list(&client, sku.as_deref(), cursor, one_more(limit)).await;
    Ok(Page::of(items.map_err(problem)?, limit, |stock| stock.reported))
}
