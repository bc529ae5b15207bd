//! `/v1/carts`: what companies are about to order.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::sales::carts::{Cart, CartLine};
use service_kit::permissions::ReadCarts;
use service_kit::{
    input::{PathId, Query},
    page::{Listing, Page, PageRequest},
    problem::Problem,
};

use crate::{
    Queries,
    app::sales::carts::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/carts",
            get_with(list, |o| {
                o.id("cart.list").summary("Carts without their lines, newest first")
            }),
        )
        .api_route(
            "/v1/carts/{id}",
            get_with(show, |o| o.id("cart.show").summary("One cart without its lines")),
        )
        .api_route(
            "/v1/carts/{id}/lines",
            get_with(lines, |o| o.id("cart.lines").summary("The lines of a cart")),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadCarts>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<Cart>>, Problem> {
    carts::list(&queries, &asker, asked).await.map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadCarts>,
    PathId(id): PathId,
) -> Result<Json<Cart>, Problem> {
    carts::show(&queries, &asker, id).await.map(Json)
}

async fn lines(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadCarts>,
    PathId(id): PathId,
    Query(page): Query<PageRequest>,
) -> Result<Json<Page<CartLine>>, Problem> {
    carts::lines(&queries, &asker, id, page).await.map(Json)
}
