//! `/v1/companies`: who the customers are.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::parties::companies::{self, Company, Filter};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{PathId, Query},
    page::{Page, PageRequest},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    asker::{By, Trade, problem},
    http::{one_more, only},
};

const VIEWS: &[&str] = &[companies::PROJECTION.name];

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/companies",
            get_with(list, |o| o.id("company.list").summary("Customers, in order of registration")),
        )
        .api_route(
            "/v1/companies/{id}",
            get_with(show, |o| o.id("company.show").summary("One customer")),
        )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// The seller's own number of the company.
    reference: Option<String>,
    /// The firm to which the companies belong directly.
    parent: Option<Uuid>,
    /// The group of the companies.
    group: Option<String>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    Query(List { limit, cursor, reference, parent, group }): Query<List>,
) -> Result<Json<Page<Company>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let client = asker.client(&queries, VIEWS).await?;
    let filter = Filter {
        company: asker.company(),
        reference: reference.as_deref(),
        parent,
        group: group.as_deref(),
    };
    let items = companies::list(&client, filter, cursor, one_more(limit)).await.map_err(problem)?;
    Ok(Json(Page::of(items, limit, |company| company.created)))
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    PathId(id): PathId,
) -> Result<Json<Company>, Problem> {
    let company = asker.narrowed(Some(id))?;
    let client = asker.client(&queries, VIEWS).await?;
    only(
        companies::list(&client, Filter { company, ..Filter::default() }, None, 1)
            .await
            .map_err(problem)?,
    )
}
