//! Approval rules.

use projections::views::{
    parties::companies,
    sales::approval_rules::{self, Rules},
};
use service_kit::permissions::{ReadPeople, Sales};
use service_kit::problem::Problem;
use uuid::Uuid;

use crate::{
    Queries,
    app::only,
    asker::{Asker, problem},
};

/// The approval rules of the seller's offers.
pub async fn show_sellers(queries: &Queries, asker: &Asker) -> Result<Rules, Problem> {
    asker.require::<Sales>()?;
    let client = asker.client(queries, &[approval_rules::PROJECTION.name]).await?;
    approval_rules::holding(&client, None).await.map_err(problem)
}

/// The approval rules of a company's orders, and the company that has adopted them.
pub async fn show(queries: &Queries, asker: &Asker, company: Uuid) -> Result<Rules, Problem> {
    asker.require::<ReadPeople>()?;
    let company = asker.narrowed(Some(company))?;
    let views = [approval_rules::PROJECTION.name, companies::PROJECTION.name];
    let client = asker.client(queries, &views).await?;
    let filter = companies::Filter { company, ..companies::Filter::default() };
    only(companies::list(&client, filter, None, 1).await.map_err(problem)?)?;
    approval_rules::holding(&client, company).await.map_err(problem)
}
