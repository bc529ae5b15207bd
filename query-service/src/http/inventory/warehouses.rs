//! `/v1/warehouses`: where the seller keeps goods.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::inventory::warehouses::Warehouse;
use service_kit::permissions::ReadWarehouses;
use service_kit::{
    input::{PathId, Query},
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::inventory::warehouses::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/warehouses",
            get_with(list, |o| o.id("warehouse.list").summary("Warehouses, in order of opening")),
        )
        .api_route(
            "/v1/warehouses/{id}",
            get_with(show, |o| o.id("warehouse.show").summary("One warehouse")),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadWarehouses>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<Warehouse>>, Problem> {
    warehouses::list(&queries, &asker, asked).await.map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadWarehouses>,
    PathId(id): PathId,
) -> Result<Json<Warehouse>, Problem> {
    warehouses::show(&queries, &asker, id).await.map(Json)
}
