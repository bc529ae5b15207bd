//! `/v1/catalogue`: the products that a company sees, at its prices.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use service_kit::permissions::ReadTrade;
use service_kit::{input::Query, page::Listing, problem::Problem};

use crate::{
    Queries,
    app::catalogue::catalogue::{self, CataloguePage, Count, Counts, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/catalogue",
            get_with(list, |o| {
                o.id("catalogue.list")
                    .summary("List the products that a company sees, at its prices")
            }),
        )
        .api_route(
            "/v1/catalogue/counts",
            get_with(count, |o| {
                o.id("catalogue.count")
                    .summary("Count the products that a company sees, by category and brand")
            }),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<CataloguePage>, Problem> {
    catalogue::list(&queries, &asker, asked).await.map(Json)
}

async fn count(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    Query(asked): Query<Count>,
) -> Result<Json<Counts>, Problem> {
    catalogue::count(&queries, &asker, asked).await.map(Json)
}
