//! `/v1/inbox`: items that await an answer of either side, and items that expire soon.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::sales::inboxes::Item;
use service_kit::permissions::ReadPeople;
use service_kit::{
    input::Query,
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::sales::inboxes::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/inbox",
        get_with(list, |o| {
            o.id("inbox.list").summary(
                "List requests, offers and negotiations that wait for an answer, the oldest first",
            )
        }),
    )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadPeople>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<Item>>, Problem> {
    inboxes::list(&queries, &asker, asked).await.map(Json)
}
