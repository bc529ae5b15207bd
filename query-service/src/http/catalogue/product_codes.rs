//! `/v1/companies/{id}/product-codes`: a company's own codes for products.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::catalogue::product_codes::Code;
use service_kit::permissions::ReadTrade;
use service_kit::{
    input::{PathId, Query},
    page::{Page, PageRequest},
    problem::Problem,
};

use crate::{Queries, app::catalogue::product_codes, asker::By};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/companies/{id}/product-codes",
        get_with(list, |o| o.id("product_code.list").summary("List a company's own product codes")),
    )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    PathId(company): PathId,
    Query(page): Query<PageRequest>,
) -> Result<Json<Page<Code>>, Problem> {
    product_codes::list(&queries, &asker, company, page).await.map(Json)
}
