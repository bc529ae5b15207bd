//! `/v1/backorders`: which order lines wait for goods.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::inventory::backorders::Backorder;
use service_kit::permissions::ReadBackorders;
use service_kit::{
    input::Query,
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::inventory::backorders::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/backorders",
        get_with(list, |o| {
            o.id("backorder.list")
                .summary("Order lines that wait for goods, in order of reservation")
        }),
    )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadBackorders>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<Backorder>>, Problem> {
    backorders::list(&queries, &asker, asked).await.map(Json)
}
