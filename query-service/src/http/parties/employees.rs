//! `/v1/employees`: who works where, in which role and within which limits.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::parties::employees::{self, Employee, Filter};
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
    asker::{By, People, problem},
    http::{one_more, only},
};

const VIEWS: &[&str] = &[employees::PROJECTION.name];

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/employees",
            get_with(list, |o| {
                o.id("employee.list")
                    .summary("List employees, in the order in which they were engaged")
            }),
        )
        .api_route(
            "/v1/employees/{id}",
            get_with(show, |o| o.id("employee.show").summary("One employee")),
        )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// Those of this company.
    company: Option<Uuid>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<People>,
    Query(List { limit, cursor, company }): Query<List>,
) -> Result<Json<Page<Employee>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let filter = Filter { company: asker.narrowed(company)?, ..Filter::default() };
    let client = asker.client(&queries, VIEWS).await?;
    let items = employees::list(&client, filter, cursor, one_more(limit)).await.map_err(problem)?;
    Ok(Json(Page::of(items, limit, |item| item.created)))
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<People>,
    PathId(id): PathId,
) -> Result<Json<Employee>, Problem> {
    let filter = Filter { id: Some(id), company: asker.company() };
    let client = asker.client(&queries, VIEWS).await?;
    only(employees::list(&client, filter, None, 1).await.map_err(problem)?)
}
