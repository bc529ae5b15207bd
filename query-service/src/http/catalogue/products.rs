//! `/v1/products`: products.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::catalogue::catalogue::CatalogueItem;
use service_kit::permissions::ReadTrade;
use service_kit::{
    input::{PathId, Query},
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::catalogue::products::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/products",
            get_with(list, |o| {
                o.id("product.list")
                    .summary("List products; a buyer sees the published ones of its assortment")
            }),
        )
        .api_route(
            "/v1/products/{id}",
            get_with(show, |o| o.id("product.show").summary("Show a product")),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<CatalogueItem>>, Problem> {
    products::list(&queries, &asker, asked).await.map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    PathId(id): PathId,
) -> Result<Json<CatalogueItem>, Problem> {
    products::show(&queries, &asker, id).await.map(Json)
}
