//! `/v1/assortments`: assortment rules.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::catalogue::assortments::Rule;
use service_kit::permissions::Sales;
use service_kit::{
    input::Query,
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::catalogue::assortments::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/assortments",
        get_with(list, |o| {
            o.id("assortment.list").summary("List assortment rules, of all audiences or of one")
        }),
    )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<Rule>>, Problem> {
    assortments::list(&queries, &asker, asked).await.map(Json)
}
