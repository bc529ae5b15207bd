//! `/v1/approval-rules`: when others must agree.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::{
    parties::companies,
    sales::approval_rules::{self, Rules},
};
use service_kit::{input::PathId, problem::Problem};

use crate::{
    Queries,
    asker::{By, People, Sales, problem},
    http::only,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/approval-rules",
            get_with(show_sellers, |o| {
                o.id("approval_rules.show_sellers").summary("Show when offers need approval")
            }),
        )
        .api_route(
            "/v1/companies/{id}/approval-rules",
            get_with(show, |o| {
                o.id("approval_rules.show")
                    .summary("Show when a company's orders need approval, and whose rules apply")
            }),
        )
}

async fn show_sellers(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
) -> Result<Json<Rules>, Problem> {
    let client = asker.client(&queries, &[approval_rules::PROJECTION.name]).await?;
    Ok(Json(approval_rules::holding(&client, None).await.map_err(problem)?))
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<People>,
    PathId(id): PathId,
) -> Result<Json<Rules>, Problem> {
    let company = asker.narrowed(Some(id))?;
    let views = [approval_rules::PROJECTION.name, companies::PROJECTION.name];
    let client = asker.client(&queries, &views).await?;
    let filter = companies::Filter { company, ..companies::Filter::default() };
    let known = companies::list(&client, filter, None, 1).await.map_err(problem)?;
    let Json(_) = only(known)?;
    Ok(Json(approval_rules::holding(&client, company).await.map_err(problem)?))
}
