//! What companies use of their credit limits.

use domain::Side;
use projections::views::{
    parties::companies,
    sales::credit_accounts::{self, Credit},
};
use schemars::JsonSchema;
use serde::Serialize;
use service_kit::permissions::ReadCredit;
use service_kit::problem::Problem;
use uuid::Uuid;

use crate::{
    Queries,
    app::only,
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[credit_accounts::PROJECTION.name, companies::PROJECTION.name];

/// The credit of a company.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CreditAccounts {
    /// By currency: those with a limit, and those in which it has ordered or owes something.
    pub accounts: Vec<Credit>,
}

/// What a company uses of its credit limits, by currency.
pub async fn show(queries: &Queries, asker: &Asker, id: Uuid) -> Result<CreditAccounts, Problem> {
    asker.require::<ReadCredit>()?;
    asker.narrowed(Some(id))?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = companies::Filter { company: Some(id), ..companies::Filter::default() };
    only(companies::list(&client, filter, None, 1).await.map_err(problem)?)?;
    let whole = asker.side() == Side::Seller;
    let accounts = credit_accounts::of_company(&client, id, whole).await.map_err(problem)?;
    Ok(CreditAccounts { accounts })
}
