//! `/v1/offers`: offers, now and at a past time.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::sales::offers::{OfferSummary, Revision};
use service_kit::permissions::ReadTrade;
use service_kit::{
    download::Pdf,
    input::{PathId, Query},
    page::{Listing, Page, PageRequest},
    problem::Problem,
};

use crate::{
    Queries,
    app::sales::offers::{self, Document, DocumentQuery, List, Show, Whole},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/offers",
            get_with(list, |o| {
                o.id("offer.list").summary(
                    "List offers without their lines, newest first; a buyer sees the sent ones",
                )
            }),
        )
        .api_route(
            "/v1/offers/{id}",
            get_with(show, |o| {
                o.id("offer.show").summary("Show an offer, now or as the asker saw it at a time")
            }),
        )
        .api_route(
            "/v1/offers/{id}/revisions",
            get_with(revisions, |o| {
                o.id("offer.revisions").summary("List the revisions of an offer, in order")
            }),
        )
        .api_route(
            "/v1/offers/{id}/pdf",
            get_with(pdf, |o| o.id("offer.pdf").summary("Show a revision of an offer as PDF")),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<OfferSummary>>, Problem> {
    offers::list(&queries, &asker, asked).await.map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    PathId(id): PathId,
    Query(asked): Query<Show>,
) -> Result<Json<Whole>, Problem> {
    offers::show(&queries, &asker, id, asked).await.map(Json)
}

async fn revisions(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    PathId(id): PathId,
    Query(page): Query<PageRequest>,
) -> Result<Json<Page<Revision>>, Problem> {
    offers::revisions(&queries, &asker, id, page).await.map(Json)
}

async fn pdf(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    PathId(id): PathId,
    Query(query): Query<DocumentQuery>,
) -> Result<Pdf, Problem> {
    let Document { name, pdf } = offers::document(&queries, &asker, id, query).await?;
    Ok(Pdf { name, file: pdf })
}
