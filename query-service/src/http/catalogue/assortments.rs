//! `/v1/assortments`: who sees what of all that is sold.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use domain::{Audience, CompanyId, GroupCode};
use projections::views::catalogue::assortments::{self, Rule};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::Query,
    page::{Page, PageRequest},
    problem::Problem,
};

use crate::{
    Queries,
    asker::{By, Sales, problem},
    http::one_more,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/assortments",
        get_with(list, |o| {
            o.id("assortment.list").summary("List assortment rules, of all audiences or of one")
        }),
    )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// Only the rules of this company itself.
    company: Option<CompanyId>,
    /// Only the rules of this group.
    group: Option<GroupCode>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    Query(List { limit, cursor, company, group }): Query<List>,
) -> Result<Json<Page<Rule>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let company = company.map(|company| Audience::Company { company });
    let audience = company.or_else(|| group.map(|group| Audience::Group { group }));
    let client = asker.client(&queries, &[assortments::PROJECTION.name]).await?;
    let rules = assortments::list(&client, audience.as_ref(), cursor, one_more(limit));
    Ok(Json(Page::of(rules.await.map_err(problem)?, limit, |rule| rule.ruled)))
}
