//! `/v1/invoices`: invoices and credit notes, with their open amounts.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::billing::invoices::{Counted, Invoice};
use service_kit::permissions::ReadAccounts;
use service_kit::{
    input::{PathId, Query},
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::billing::invoices::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/invoices",
            get_with(list, |o| {
                o.id("invoice.list")
                    .summary("List invoices and credit notes without their lines, newest first")
            }),
        )
        .api_route(
            "/v1/invoices/{id}",
            get_with(show, |o| o.id("invoice.show").summary("Show an invoice or credit note")),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadAccounts>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<Invoice<Counted>>>, Problem> {
    invoices::list(&queries, &asker, asked).await.map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadAccounts>,
    PathId(id): PathId,
) -> Result<Json<Invoice>, Problem> {
    invoices::show(&queries, &asker, id).await.map(Json)
}
