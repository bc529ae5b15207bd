//! `/v1/price-agreements`: price lists, contracts and promotions, and their prices.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use domain::AgreementId;
use projections::views::pricing::{price_agreements::Agreement, prices::Price};
use service_kit::permissions::Sales;
use service_kit::{
    input::{PathId, Query},
    page::{Listing, Page, PageRequest},
    problem::Problem,
};

use crate::{
    Queries,
    app::pricing::price_agreements::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/price-agreements",
            get_with(list, |o| o.id("price_agreement.list").summary("List price agreements")),
        )
        .api_route(
            "/v1/price-agreements/{id}",
            get_with(show, |o| o.id("price_agreement.show").summary("Show a price agreement")),
        )
        .api_route(
            "/v1/price-agreements/{id}/prices",
            get_with(list_prices, |o| {
                o.id("price.list").summary("List the prices of an agreement")
            }),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<Agreement>>, Problem> {
    price_agreements::list(&queries, &asker, asked).await.map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    PathId(id): PathId,
) -> Result<Json<Agreement>, Problem> {
    price_agreements::show(&queries, &asker, id).await.map(Json)
}

async fn list_prices(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    PathId(id): PathId,
    Query(page): Query<PageRequest>,
) -> Result<Json<Page<Price>>, Problem> {
    price_agreements::list_prices(&queries, &asker, AgreementId(id), page).await.map(Json)
}
