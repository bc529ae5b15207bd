//! `/v1/negotiations`: negotiations and their rounds, as each side sees them.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::sales::negotiations::Negotiation;
use service_kit::permissions::ReadNegotiations;
use service_kit::{
    input::{PathId, Query},
    page::{Listing, Page},
    position::never_behind,
    problem::Problem,
};

use crate::{
    Queries,
    app::sales::negotiations::{self, Between, Differences, List, NegotiationHistory, Show},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/negotiations",
            get_with(list, |o| o.id("negotiation.list").summary("List negotiations, newest first")),
        )
        .api_route(
            "/v1/negotiations/{id}",
            get_with(show, |o| {
                never_behind(o).id("negotiation.show").summary(
                    "Show a negotiation with its rounds, now or as one side saw it at a time",
                )
            }),
        )
        .api_route(
            "/v1/negotiations/{id}/differences",
            get_with(differences, |o| {
                never_behind(o)
                    .id("negotiation.differences")
                    .summary("Compare two rounds of a negotiation")
            }),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadNegotiations>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<Negotiation>>, Problem> {
    negotiations::list(&queries, &asker, asked).await.map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadNegotiations>,
    PathId(id): PathId,
    Query(asked): Query<Listing<Show>>,
) -> Result<Json<NegotiationHistory>, Problem> {
    negotiations::show(&queries, &asker, id, asked).await.map(Json)
}

async fn differences(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadNegotiations>,
    PathId(id): PathId,
    Query(between): Query<Between>,
) -> Result<Json<Differences>, Problem> {
    negotiations::differences(&queries, &asker, id, between).await.map(Json)
}
