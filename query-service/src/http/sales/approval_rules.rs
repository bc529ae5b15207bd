//! `/v1/approval-rules`: approval rules of a company's orders and of the seller's offers.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::sales::approval_rules::Rules;
use service_kit::permissions::{ReadPeople, Sales};
use service_kit::{input::PathId, problem::Problem};

use crate::{Queries, app::sales::approval_rules, asker::By};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/approval-rules",
            get_with(show_sellers, |o| {
                o.id("approval_rules.show_sellers").summary("Show the approval rules of the seller's offers")
            }),
        )
        .api_route(
            "/v1/companies/{id}/approval-rules",
            get_with(show, |o| {
                o.id("approval_rules.show")
                    .summary("Show the approval rules of a company's orders, and the company that adopted them")
            }),
        )
}

async fn show_sellers(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
) -> Result<Json<Rules>, Problem> {
    approval_rules::show_sellers(&queries, &asker).await.map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadPeople>,
    PathId(company): PathId,
) -> Result<Json<Rules>, Problem> {
    approval_rules::show(&queries, &asker, company).await.map(Json)
}
