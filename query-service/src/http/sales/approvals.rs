//! `/v1/approvals`: approval requests, approvers and answers.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::sales::approvals::Approval;
use service_kit::permissions::ReadPeople;
use service_kit::{
    input::{PathId, Query},
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::sales::approvals::{self, List, Whole},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/approvals",
            get_with(list, |o| {
                o.id("approval.list").summary(
                    "List approval requests of one's own company and those below it, newest first",
                )
            }),
        )
        .api_route(
            "/v1/approvals/{id}",
            get_with(show, |o| {
                o.id("approval.show").summary(
                    "Show the latest approval request of an order, an offer or a negotiation",
                )
            }),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadPeople>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<Approval>>, Problem> {
    approvals::list(&queries, &asker, asked).await.map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadPeople>,
    PathId(id): PathId,
) -> Result<Json<Whole>, Problem> {
    approvals::show(&queries, &asker, id).await.map(Json)
}
