//! Received payments.

use projections::{
    DocumentNumber,
    views::billing::payments::{self, Payment},
};
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
    app::{before, numbered, one_more, only},
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[payments::PROJECTION.name];

/// Which payments to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only this company.
    pub company: Option<Uuid>,
    /// Only this number.
    pub number: Option<DocumentNumber>,
}

/// Payments, newest first.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { company, number } }: Listing<List>,
) -> Result<Page<Payment>, Problem> {
    asker.require::<ReadAccounts>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let company = asker.narrowed(company)?;
    let client = asker.client(queries, VIEWS).await?;
    let items = payments::list(&client, None, company, before(number, cursor), one_more(limit))
        .await
        .map_err(problem)?;
    Ok(numbered(items, limit, number, |item| (item.number, item.created)))
}

/// One payment.
pub async fn show(queries: &Queries, asker: &Asker, id: Uuid) -> Result<Payment, Problem> {
    asker.require::<ReadAccounts>()?;
    let client = asker.client(queries, VIEWS).await?;
    only(payments::list(&client, Some(id), asker.company(), None, 1).await.map_err(problem)?)
}
