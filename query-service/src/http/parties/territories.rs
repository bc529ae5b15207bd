//! `/v1/territories`: who at the seller looks after which companies.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use domain::territories::Map;
use projections::views::parties::territories;
use service_kit::problem::Problem;

use crate::{
    Queries,
    asker::{By, Sales, problem},
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/territories",
        get_with(show, |o| {
            o.id("territories.show")
                .summary("Show which representatives look after which companies")
        }),
    )
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
) -> Result<Json<Map>, Problem> {
    let client = asker.client(&queries, &[territories::PROJECTION.name]).await?;
    Ok(Json(territories::holding(&client).await.map_err(problem)?))
}
