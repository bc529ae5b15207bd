//! What companies order again and again.

use projections::views::{
    catalogue::catalogue,
    parties::employees,
    sales::order_lists::{self, Filter, OrderList, OrderListLine},
};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::ReadCarts;
use service_kit::{
    page::{Listing, Page, PageRequest},
    problem::Problem,
};
use uuid::Uuid;

use super::carts::viewer;
use crate::{
    Queries,
    app::{one_more, only},
    asker::{Asker, problem},
};

const VIEWS: &[&str] =
    &[catalogue::PROJECTION.name, employees::PROJECTION.name, order_lists::PROJECTION.name];

/// Which order lists.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Those of this company.
    pub company: Option<Uuid>,
}

/// Order lists without their lines, newest first. Private ones are shown to their owners alone.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { company } }: Listing<List>,
) -> Result<Page<OrderList>, Problem> {
    asker.require::<ReadCarts>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let filter = Filter { id: None, company: asker.narrowed(company)?, actor: asker.actor() };
    let client = asker.client(queries, VIEWS).await?;
    let items = order_lists::list(&client, filter, viewer(asker), cursor, one_more(limit)).await;
    Ok(Page::of(items.map_err(problem)?, limit, |list| list.created))
}

/// One order list without its lines.
pub async fn show(queries: &Queries, asker: &Asker, id: Uuid) -> Result<OrderList, Problem> {
    asker.require::<ReadCarts>()?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { id: Some(id), company: asker.company(), actor: asker.actor() };
    only(order_lists::list(&client, filter, viewer(asker), None, 1).await.map_err(problem)?)
}

/// The lines of an order list, in the order of their numbers.
pub async fn lines(
    queries: &Queries,
    asker: &Asker,
    id: Uuid,
    page: PageRequest,
) -> Result<Page<OrderListLine>, Problem> {
    asker.require::<ReadCarts>()?;
    let (limit, cursor) = page.read::<i32>()?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { id: Some(id), company: asker.company(), actor: asker.actor() };
    only(order_lists::list(&client, filter, viewer(asker), None, 1).await.map_err(problem)?)?;
    let lines = order_lists::lines(&client, id, viewer(asker), cursor, one_more(limit)).await;
    Ok(Page::of(lines.map_err(problem)?, limit, |line| line.line))
}
