//! `/v1/stock/{id}`: what the warehouses have of a product, and its movements.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::inventory::stock_levels::{Level, movements::Movement};
use service_kit::permissions::ReadWarehouses;
use service_kit::{
    input::{PathId, Query},
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::inventory::stock_levels::{self, Movements, ProductStock, Warehouses},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/stock/{id}",
            get_with(show, |o| {
                o.id("stock.show")
                    .summary("Stock of a product over all warehouses, with what can be promised")
            }),
        )
        .api_route(
            "/v1/stock/{id}/warehouses",
            get_with(list, |o| {
                o.id("stock.warehouses").summary("Stock of a product in each warehouse, with lots")
            }),
        )
        .api_route(
            "/v1/stock/{id}/movements",
            get_with(movements, |o| {
                o.id("stock.movements").summary("Movements of a product, newest first")
            }),
        )
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadWarehouses>,
    PathId(id): PathId,
) -> Result<Json<ProductStock>, Problem> {
    stock_levels::show(&queries, &asker, id).await.map(Json)
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadWarehouses>,
    PathId(id): PathId,
    Query(asked): Query<Listing<Warehouses>>,
) -> Result<Json<Page<Level>>, Problem> {
    stock_levels::list(&queries, &asker, id, asked).await.map(Json)
}

async fn movements(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadWarehouses>,
    PathId(id): PathId,
    Query(asked): Query<Listing<Movements>>,
) -> Result<Json<Page<Movement>>, Problem> {
    stock_levels::movements(&queries, &asker, id, asked).await.map(Json)
}
