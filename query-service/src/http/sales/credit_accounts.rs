//! `/v1/companies/{id}/credit`: what a company uses of its credit limits.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use service_kit::permissions::ReadCredit;
use service_kit::{input::PathId, problem::Problem};

use crate::{
    Queries,
    app::sales::credit_accounts::{self, CreditAccounts},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/companies/{id}/credit",
        get_with(show, |o| {
            o.id("company.credit").summary("What a company uses of its credit limits, by currency")
        }),
    )
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadCredit>,
    PathId(id): PathId,
) -> Result<Json<CreditAccounts>, Problem> {
    credit_accounts::show(&queries, &asker, id).await.map(Json)
}
