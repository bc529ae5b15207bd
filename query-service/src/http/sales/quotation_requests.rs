//! `/v1/quotation-requests`: quotation requests.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::{heads::InquiryHead, views::sales::quotation_requests::QuotationRequest};
use service_kit::permissions::ReadTrade;
use service_kit::{
    input::{PathId, Query},
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::sales::quotation_requests::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/quotation-requests",
            get_with(list, |o| {
                o.id("quotation_request.list")
                    .summary("List quotation requests without their lines, newest first")
            }),
        )
        .api_route(
            "/v1/quotation-requests/{id}",
            get_with(show, |o| o.id("quotation_request.show").summary("Show a quotation request")),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<QuotationRequest<InquiryHead>>>, Problem> {
    quotation_requests::list(&queries, &asker, asked).await.map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    PathId(id): PathId,
) -> Result<Json<QuotationRequest>, Problem> {
    quotation_requests::show(&queries, &asker, id).await.map(Json)
}
