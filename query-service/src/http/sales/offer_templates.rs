//! `/v1/offer-templates`: reusable lines and terms for offers.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::sales::offer_templates::{OfferTemplate, OfferTemplateSummary};
use service_kit::permissions::Sales;
use service_kit::{
    input::{PathId, Query},
    page::{Page, PageRequest},
    problem::Problem,
};

use crate::{Queries, app::sales::offer_templates, asker::By};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/offer-templates",
            get_with(list, |o| {
                o.id("offer_template.list")
                    .summary("List offer templates without their lines, newest first")
            }),
        )
        .api_route(
            "/v1/offer-templates/{id}",
            get_with(show, |o| o.id("offer_template.show").summary("Show an offer template")),
        )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    Query(page): Query<PageRequest>,
) -> Result<Json<Page<OfferTemplateSummary>>, Problem> {
    offer_templates::list(&queries, &asker, page).await.map(Json)
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    PathId(id): PathId,
) -> Result<Json<OfferTemplate>, Problem> {
    offer_templates::show(&queries, &asker, id).await.map(Json)
}
