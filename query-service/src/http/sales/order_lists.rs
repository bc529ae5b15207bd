//! `/v1/order-lists`: what companies order again and again.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::sales::order_lists::{OrderList, OrderListLine};
use service_kit::permissions::ReadCarts;
use service_kit::{
    input::{PathId, Query},
    page::{Listing, Page, PageRequest},
    problem::Problem,
};

use crate::{
    Queries,
    app::sales::order_lists::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/order-lists",
            get_with(list, |o| {
                o.id("order_list.list").summary("Order lists without their lines, newest first")
            }),
        )
        .api_route(
            "/v1/order-lists/{id}",
            get_with(show, |o| o.id("order_list.show").summary("One order list without its lines")),
        )
        .api_route(
            "/v1/order-lists/{id}/lines",
            get_with(lines, |o| o.id("order_list.lines").summary("The lines of an order list")),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadCarts>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<OrderList>>, Problem> {
    order_lists::list(&queries, &asker, asked).await.map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadCarts>,
    PathId(id): PathId,
) -> Result<Json<OrderList>, Problem> {
    order_lists::show(&queries, &asker, id).await.map(Json)
}

async fn lines(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadCarts>,
    PathId(id): PathId,
    Query(page): Query<PageRequest>,
) -> Result<Json<Page<OrderListLine>>, Problem> {
    order_lists::lines(&queries, &asker, id, page).await.map(Json)
}
