//! `/v1/categories`: the product tree.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::catalogue::categories::Category;
use service_kit::permissions::ReadTrade;
use service_kit::{
    input::{PathId, Query},
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::catalogue::categories::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/categories",
            get_with(list, |o| {
                o.id("category.list")
                    .summary("List categories, in the order in which they were opened")
            }),
        )
        .api_route(
            "/v1/categories/{id}",
            get_with(show, |o| o.id("category.show").summary("Show a category")),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<Category>>, Problem> {
    categories::list(&queries, &asker, asked).await.map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    PathId(id): PathId,
) -> Result<Json<Category>, Problem> {
    categories::show(&queries, &asker, id).await.map(Json)
}
