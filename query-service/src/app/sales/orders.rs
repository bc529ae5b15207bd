//! Orders, with shipped quantities.

use projections::{
    DocumentNumber,
    views::sales::orders::{self, Filter, Order, OrderSummary, Status},
};
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
    app::{before, numbered, one_more, only},
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[orders::PROJECTION.name];

/// Which orders to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only this company.
    pub company: Option<Uuid>,
    /// Only this status.
    pub status: Option<Status>,
    /// Those that are on credit hold, or those that are not.
    pub on_credit_hold: Option<bool>,
    /// The one with this number.
    pub number: Option<DocumentNumber>,
}

/// Orders without their lines, newest first.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { company, status, on_credit_hold, number } }: Listing<List>,
) -> Result<Page<OrderSummary>, Problem> {
    asker.require::<ReadTrade>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let company = asker.narrowed(company)?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { company, status, on_credit_hold, ..Filter::default() };
    let items = orders::summaries(&client, &filter, before(number, cursor), one_more(limit))
        .await
        .map_err(problem)?;
    Ok(numbered(items, limit, number, |item| (item.number, item.created)))
}

/// One order.
pub async fn show(queries: &Queries, asker: &Asker, id: Uuid) -> Result<Order, Problem> {
    asker.require::<ReadTrade>()?;
    let company = asker.company();
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { id: Some(id), company, ..Filter::default() };
    only(orders::list(&client, &filter, None, 1).await.map_err(problem)?)
}
