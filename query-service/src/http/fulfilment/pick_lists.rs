//! `/v1/pick-lists`: what is picked together, and what was found of it.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::fulfilment::pick_lists::{PickList, PickListSummary};
use service_kit::permissions::ReadPicking;
use service_kit::{
    input::{PathId, Query},
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::fulfilment::pick_lists::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/pick-lists",
            get_with(list, |o| {
                o.id("pick_list.list").summary("Pick lists without their lines, newest first")
            }),
        )
        .api_route(
            "/v1/pick-lists/{id}",
            get_with(show, |o| o.id("pick_list.show").summary("One pick list")),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadPicking>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<PickListSummary>>, Problem> {
    pick_lists::list(&queries, &asker, asked).await.map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadPicking>,
    PathId(id): PathId,
) -> Result<Json<PickList>, Problem> {
    pick_lists::show(&queries, &asker, id).await.map(Json)
}
