//! `/v1/bought-products`: what companies have bought before.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::billing::bought_products::BoughtProduct;
use service_kit::permissions::ReadAccounts;
use service_kit::{
    input::Query,
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::billing::bought_products::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/bought-products",
        get_with(list, |o| {
            o.id("bought_product.list")
                .summary("What a company has bought on invoices, the latest first")
        }),
    )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadAccounts>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<BoughtProduct>>, Problem> {
    bought_products::list(&queries, &asker, asked).await.map(Json)
}
