//! `/v1/companies`: companies.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::parties::companies::Company;
use service_kit::permissions::ReadTrade;
use service_kit::{
    input::{PathId, Query},
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::parties::companies::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/companies",
            get_with(list, |o| {
                o.id("company.list").summary("List companies, in order of registration")
            }),
        )
        .api_route(
            "/v1/companies/{id}",
            get_with(show, |o| o.id("company.show").summary("Show a company")),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<Company>>, Problem> {
    companies::list(&queries, &asker, asked).await.map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    PathId(id): PathId,
) -> Result<Json<Company>, Problem> {
    companies::show(&queries, &asker, id).await.map(Json)
}
