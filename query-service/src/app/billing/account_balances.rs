//! Account balances of companies.

use domain::Reference;
use projections::views::{
    billing::account_balances::{self, AccountBalance, Filter},
    parties::companies,
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
    app::{one_more, stored_form},
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[account_balances::PROJECTION.name, companies::PROJECTION.name];

/// Which balances to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only this company.
    pub company: Option<Uuid>,
    /// Only the company with this reference of the seller.
    pub reference: Option<String>,
}

/// Account balances per company and currency.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { company, reference } }: Listing<List>,
) -> Result<Page<AccountBalance>, Problem> {
    asker.require::<ReadAccounts>()?;
    let (limit, cursor) = page.read::<(Uuid, String)>()?;
    let company = asker.narrowed(company)?;
    let client = asker.client(queries, VIEWS).await?;
    let reference = stored_form::<Reference>(reference);
    let filter = Filter { today: queries.clock.today(), company, reference: reference.as_deref() };
    let items =
        account_balances::list(&client, &filter, cursor, one_more(limit)).await.map_err(problem)?;
    Ok(Page::of(items, limit, |item| (item.company.0, item.currency.code().to_owned())))
}
