//! Assortment rules.

use domain::{Audience, CompanyId, GroupCode};
use projections::views::catalogue::assortments::{self, Rule};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::Sales;
use service_kit::{
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::one_more,
    asker::{Asker, problem},
};

/// Which rules to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only the rules of this company itself.
    pub company: Option<CompanyId>,
    /// Only the rules of this group.
    pub group: Option<GroupCode>,
}

/// Assortment rules, of all audiences or of one.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { company, group } }: Listing<List>,
) -> Result<Page<Rule>, Problem> {
    asker.require::<Sales>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let company = company.map(|company| Audience::Company { company });
    let audience = company.or_else(|| group.map(|group| Audience::Group { group }));
    let client = asker.client(queries, &[assortments::PROJECTION.name]).await?;
    let rules = assortments::list(&client, audience.as_ref(), cursor, one_more(limit));
    Ok(Page::of(rules.await.map_err(problem)?, limit, |rule| rule.ruled))
}
