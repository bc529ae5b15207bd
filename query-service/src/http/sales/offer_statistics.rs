//! `/v1/offer-statistics`: results, discounts and response times of offers.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::sales::offer_statistics::Statistics;
use service_kit::permissions::Sales;
use service_kit::{
    input::Query,
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::sales::offer_statistics::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/offer-statistics",
        get_with(list, |o| {
            o.id("offer_statistics.list").summary(
                "List offer statistics per representative, customer or product; sales see their own",
            )
        }),
    )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<Statistics>>, Problem> {
    offer_statistics::list(&queries, &asker, asked).await.map(Json)
}
