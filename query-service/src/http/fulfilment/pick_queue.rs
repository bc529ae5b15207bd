//! `/v1/pick-queue`: what is to be picked.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use service_kit::permissions::ReadPicking;
use service_kit::{
    input::Query,
    page::{Page, PageRequest},
    problem::Problem,
};

use crate::{
    Queries,
    app::fulfilment::pick_queue::{self, QueuedOrder},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/pick-queue",
        get_with(list, |o| {
            o.id("pick_queue.list")
                .summary("What is to be picked of confirmed orders, the oldest order first")
        }),
    )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadPicking>,
    Query(page): Query<PageRequest>,
) -> Result<Json<Page<QueuedOrder>>, Problem> {
    pick_queue::list(&queries, &asker, page).await.map(Json)
}
