//! Companies.

use domain::{GroupCode, Reference};
use projections::views::parties::companies::{self, Company, Filter};
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
    app::{one_more, only, stored_form},
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[companies::PROJECTION.name];

/// Which companies to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The seller's reference of the company.
    pub reference: Option<String>,
    /// Only the direct subsidiaries of this company.
    pub parent: Option<Uuid>,
    /// Only companies of this group.
    pub group: Option<String>,
}

/// Companies, in order of registration; a buyer sees its own.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { reference, parent, group } }: Listing<List>,
) -> Result<Page<Company>, Problem> {
    asker.require::<ReadTrade>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let client = asker.client(queries, VIEWS).await?;
    let reference = stored_form::<Reference>(reference);
    let group = stored_form::<GroupCode>(group);
    let filter = Filter {
        company: asker.company(),
        reference: reference.as_deref(),
        parent,
        group: group.as_deref(),
    };
    let items = companies::list(&client, filter, cursor, one_more(limit)).await.map_err(problem)?;
    Ok(Page::of(items, limit, |company| company.created))
}

/// One company.
pub async fn show(queries: &Queries, asker: &Asker, id: Uuid) -> Result<Company, Problem> {
    asker.require::<ReadTrade>()?;
    let company = asker.narrowed(Some(id))?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { company, ..Filter::default() };
    only(companies::list(&client, filter, None, 1).await.map_err(problem)?)
}
