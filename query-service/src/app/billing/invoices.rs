//! Invoices and credit notes, with their open amounts.

use projections::views::billing::invoices::{self, Counted, Filter, Invoice};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::ReadAccounts;
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

const VIEWS: &[&str] = &[invoices::PROJECTION.name];

/// Which invoices and credit notes to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only this company.
    pub company: Option<Uuid>,
    /// Only this number.
    pub number: Option<String>,
}

/// Invoices and credit notes without their lines, newest first.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { company, number } }: Listing<List>,
) -> Result<Page<Invoice<Counted>>, Problem> {
    asker.require::<ReadAccounts>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let company = asker.narrowed(company)?;
    let client = asker.client(queries, VIEWS).await?;
    let filter =
        Filter { today: queries.clock.today(), id: None, company, number: number.as_deref() };
    let items = invoices::summaries(&client, &filter, cursor, one_more(limit)).await;
    Ok(Page::of(items.map_err(problem)?, limit, |item| item.created))
}

/// One invoice or credit note.
pub async fn show(queries: &Queries, asker: &Asker, id: Uuid) -> Result<Invoice, Problem> {
    asker.require::<ReadAccounts>()?;
    let company = asker.company();
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { today: queries.clock.today(), id: Some(id), company, number: None };
    only(invoices::list(&client, &filter, None, 1).await.map_err(problem)?)
}
