//! `/v1/returns`: what companies send back or complain about, and what became of it.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::billing::goods_returns::{GoodsReturn, GoodsReturnSummary};
use service_kit::permissions::ReadTrade;
use service_kit::{
    input::{PathId, Query},
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::billing::goods_returns::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/returns",
            get_with(list, |o| {
                o.id("goods_return.list").summary("Returns without their lines, newest first")
            }),
        )
        .api_route(
            "/v1/returns/{id}",
            get_with(show, |o| o.id("goods_return.show").summary("One return")),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<GoodsReturnSummary>>, Problem> {
    goods_returns::list(&queries, &asker, asked).await.map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    PathId(id): PathId,
) -> Result<Json<GoodsReturn>, Problem> {
    goods_returns::show(&queries, &asker, id).await.map(Json)
}
