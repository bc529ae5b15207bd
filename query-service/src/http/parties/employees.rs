//! `/v1/employees`: employees of companies and of the seller.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::parties::employees::Employee;
use service_kit::permissions::ReadPeople;
use service_kit::{
    input::{PathId, Query},
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::parties::employees::{self, List},
    asker::By,
};

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
            get_with(show, |o| o.id("employee.show").summary("Show an employee")),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadPeople>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<Employee>>, Problem> {
    employees::list(&queries, &asker, asked).await.map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadPeople>,
    PathId(id): PathId,
) -> Result<Json<Employee>, Problem> {
    employees::show(&queries, &asker, id).await.map(Json)
}
