//! `/v1/payments`: received payments.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::billing::payments::Payment;
use service_kit::permissions::ReadAccounts;
use service_kit::{
    input::{PathId, Query},
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::billing::payments::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/payments",
            get_with(list, |o| o.id("payment.list").summary("List payments, newest first")),
        )
        .api_route(
            "/v1/payments/{id}",
            get_with(show, |o| o.id("payment.show").summary("Show a payment")),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadAccounts>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<Payment>>, Problem> {
    payments::list(&queries, &asker, asked).await.map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadAccounts>,
    PathId(id): PathId,
) -> Result<Json<Payment>, Problem> {
    payments::show(&queries, &asker, id).await.map(Json)
}
