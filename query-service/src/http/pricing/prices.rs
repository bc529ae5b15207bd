//! `/v1/prices`: explanation of a price.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use domain::pricing::Resolution;
use service_kit::permissions::Sales;
use service_kit::{input::Query, position::never_behind, problem::Problem};

use crate::{
    Queries,
    app::pricing::prices::{self, Explain},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/prices/explain",
        get_with(explain, |o| {
            never_behind(o)
                .id("price.explain")
                .summary("Explain what a company pays for a product, with every rule considered")
        }),
    )
}

async fn explain(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    Query(asked): Query<Explain>,
) -> Result<Json<Resolution>, Problem> {
    prices::explain(&queries, &asker, asked).await.map(Json)
}
