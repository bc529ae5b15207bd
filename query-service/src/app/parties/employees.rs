//! Employees of companies and of the seller.

use projections::views::parties::employees::{self, Employee, Filter};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::ReadPeople;
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

const VIEWS: &[&str] = &[employees::PROJECTION.name];

/// Which employees to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only this company.
    pub company: Option<Uuid>,
}

/// Employees, in the order in which they were engaged.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { company } }: Listing<List>,
) -> Result<Page<Employee>, Problem> {
    asker.require::<ReadPeople>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let filter = Filter { company: asker.narrowed(company)?, ..Filter::default() };
    let client = asker.client(queries, VIEWS).await?;
    let items = employees::list(&client, filter, cursor, one_more(limit)).await.map_err(problem)?;
    Ok(Page::of(items, limit, |item| item.created))
}

/// One employee.
pub async fn show(queries: &Queries, asker: &Asker, id: Uuid) -> Result<Employee, Problem> {
    asker.require::<ReadPeople>()?;
    let filter = Filter { id: Some(id), company: asker.company() };
    let client = asker.client(queries, VIEWS).await?;
    only(employees::list(&client, filter, None, 1).await.map_err(problem)?)
}
