//! `/v1/events` and `/v1/history/{id}`: recorded events, and aggregate states derived from them.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use service_kit::permissions::{Audit, ReadHistory};
use service_kit::{
    input::{PathId, Query},
    page::{Listing, Page},
    position::never_behind,
    problem::Problem,
};

use crate::{
    Queries,
    app::events::{self, Event, EventsQuery, Then, When},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/events",
            get_with(list, |o| {
                never_behind(o).id("event.list").summary(
                    "List events in the order of positions; with `wait`, as they are recorded",
                )
            }),
        )
        .api_route(
            "/v1/history/{id}",
            get_with(history, |o| {
                never_behind(o).id("event.history").summary("List the events of one aggregate")
            }),
        )
        .api_route(
            "/v1/history/{id}/state",
            get_with(state, |o| {
                never_behind(o)
                    .id("event.state")
                    .summary("Show the state of one aggregate, now or at a moment")
            }),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadHistory>,
    Query(asked): Query<Listing<EventsQuery>>,
) -> Result<Json<Page<Event>>, Problem> {
    events::list(&queries, &asker, asked).await.map(Json)
}

async fn history(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadHistory>,
    PathId(id): PathId,
    Query(asked): Query<Listing<EventsQuery>>,
) -> Result<Json<Page<Event>>, Problem> {
    events::history(&queries, &asker, id, asked).await.map(Json)
}

async fn state(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Audit>,
    PathId(id): PathId,
    Query(when): Query<When>,
) -> Result<Json<Then>, Problem> {
    events::state(&queries, &asker, id, when).await.map(Json)
}
