//! `/v1/discounts`: discount programmes by turnover or number of orders.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::pricing::discounts::Discount;
use service_kit::permissions::Sales;
use service_kit::{
    input::Query,
    page::{Page, PageRequest},
    problem::Problem,
};

use crate::{Queries, app::pricing::discounts, asker::By};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/discounts",
        get_with(list, |o| {
            o.id("discount.list")
                .summary("List discount programmes for turnover and frequent orders")
        }),
    )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    Query(page): Query<PageRequest>,
) -> Result<Json<Page<Discount>>, Problem> {
    discounts::list(&queries, &asker, page).await.map(Json)
}
