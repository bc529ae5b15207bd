//! `/v1/late-orders`: orders that are late, or are about to be.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use service_kit::permissions::ReadTrade;
use service_kit::{
    input::Query,
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::sales::late_orders::{self, LateOrder, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/late-orders",
        get_with(list, |o| {
            o.id("late_order.list").summary(
                "Orders not yet shipped whose promised day is near or over, the earliest first",
            )
        }),
    )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<LateOrder>>, Problem> {
    late_orders::list(&queries, &asker, asked).await.map(Json)
}
