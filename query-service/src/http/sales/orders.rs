//! `/v1/orders`: orders, with shipped quantities.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::sales::orders::{Order, OrderSummary};
use service_kit::permissions::ReadTrade;
use service_kit::{
    input::{PathId, Query},
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::sales::orders::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/orders",
            get_with(list, |o| {
                o.id("order.list").summary("List orders without their lines, newest first")
            }),
        )
        .api_route(
            "/v1/orders/{id}",
            get_with(show, |o| o.id("order.show").summary("Show an order")),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<OrderSummary>>, Problem> {
    orders::list(&queries, &asker, asked).await.map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    PathId(id): PathId,
) -> Result<Json<Order>, Problem> {
    orders::show(&queries, &asker, id).await.map(Json)
}
