//! Which order lines wait for goods.

use projections::views::{
    catalogue::catalogue,
    inventory::{
        backorders::{self, Backorder, Filter},
        stock,
    },
    sales::orders,
};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::ReadBackorders;
use service_kit::{
    page::{Listing, Page},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    app::one_more,
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[
    backorders::PROJECTION.name,
    catalogue::PROJECTION.name,
    orders::PROJECTION.name,
    stock::PROJECTION.name,
];

/// Which backorders.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Those of this company.
    pub company: Option<Uuid>,
    /// Those of this order.
    pub order: Option<Uuid>,
    /// Those of this product.
    pub product: Option<Uuid>,
}

/// Order lines that wait for goods, in order of reservation. A company sees those of its own orders.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { company, order, product } }: Listing<List>,
) -> Result<Page<Backorder>, Problem> {
    asker.require::<ReadBackorders>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let company = asker.narrowed(company)?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { company, order, product };
    let mut items =
        backorders::list(&client, filter, cursor, one_more(limit)).await.map_err(problem)?;
    if asker.company().is_some() {
        // How important the seller takes an order is its own affair.
        for backorder in &mut items {
            backorder.priority = None;
        }
    }
    Ok(Page::of(items, limit, |backorder| backorder.created))
}
