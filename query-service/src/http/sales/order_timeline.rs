//! `/v1/orders/{id}/timeline`: all that happened to an order.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::sales::order_timeline::TimelineEntry;
use service_kit::permissions::ReadTrade;
use service_kit::{
    input::{PathId, Query},
    page::{Page, PageRequest},
    problem::Problem,
};

use crate::{Queries, app::sales::order_timeline, asker::By};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/orders/{id}/timeline",
        get_with(list, |o| {
            o.id("order.timeline").summary(
                "All that happened to an order, also in its shipments and invoices, oldest first",
            )
        }),
    )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    PathId(id): PathId,
    Query(page): Query<PageRequest>,
) -> Result<Json<Page<TimelineEntry>>, Problem> {
    order_timeline::list(&queries, &asker, id, page).await.map(Json)
}
