//! `/v1/territories`: which representatives of the seller are assigned to which companies.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use domain::territories::Map;
use service_kit::permissions::Sales;
use service_kit::problem::Problem;

use crate::{Queries, app::parties::territories, asker::By};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/territories",
        get_with(show, |o| {
            o.id("territories.show").summary("Show the assignment of representatives to companies")
        }),
    )
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
) -> Result<Json<Map>, Problem> {
    territories::show(&queries, &asker).await.map(Json)
}
