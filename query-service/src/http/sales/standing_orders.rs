//! `/v1/standing-orders`: what companies order again and again.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::sales::standing_orders::{StandingOrder, StandingOrderSummary};
use service_kit::permissions::{Ordering, ReadTrade};
use service_kit::{
    input::{PathId, Query},
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::sales::standing_orders::{self, Dates, List, Preview},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/standing-orders",
            get_with(list, |o| {
                o.id("standing_order.list")
                    .summary("Standing orders without their lines, newest first")
            }),
        )
        .api_route(
            "/v1/standing-orders/dates",
            get_with(preview, |o| {
                o.id("standing_order.preview").summary("The dates that a schedule would have")
            }),
        )
        .api_route(
            "/v1/standing-orders/{id}",
            get_with(show, |o| {
                o.id("standing_order.show")
                    .summary("One standing order with its next dates and what came of the others")
            }),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<StandingOrderSummary>>, Problem> {
    standing_orders::list(&queries, &asker, asked).await.map(Json)
}

async fn preview(
    By { who: asker, .. }: By<Ordering>,
    Query(asked): Query<Preview>,
) -> Result<Json<Dates>, Problem> {
    standing_orders::preview(&asker, &asked).map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    PathId(id): PathId,
) -> Result<Json<StandingOrder>, Problem> {
    standing_orders::show(&queries, &asker, id).await.map(Json)
}
