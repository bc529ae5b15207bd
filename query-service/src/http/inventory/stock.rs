//! `/v1/stock`: stock levels as last reported.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::inventory::stock::StockOf;
use service_kit::permissions::ReadStock;
use service_kit::{
    input::Query,
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::inventory::stock::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/stock",
        get_with(list, |o| o.id("stock.list").summary("List stock levels as last reported")),
    )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadStock>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<StockOf>>, Problem> {
    stock::list(&queries, &asker, asked).await.map(Json)
}
