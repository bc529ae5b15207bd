//! `/v1/offer-templates`: with what drafts of offers can begin.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::sales::offer_templates::{self, OfferTemplate, OfferTemplateSummary};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{PathId, Query},
    page::{Page, PageRequest},
    problem::Problem,
};

use crate::{
    Queries,
    asker::{By, Sales, problem},
    http::{one_more, only},
};

const VIEWS: &[&str] = &[offer_templates::PROJECTION.name];

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
            get_with(show, |o| o.id("offer_template.show").summary("One offer template")),
        )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    Query(List { limit, cursor }): Query<List>,
) -> Result<Json<Page<OfferTemplateSummary>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let client = asker.client(&queries, VIEWS).await?;
    let items = offer_templates::summaries(&client, cursor, one_more(limit)).await;
    Ok(Json(Page::of(items.map_err(problem)?, limit, |item| item.created)))
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    PathId(id): PathId,
) -> Result<Json<OfferTemplate>, Problem> {
    let client = asker.client(&queries, VIEWS).await?;
    only(offer_templates::list(&client, Some(id), None, 1).await.map_err(problem)?)
}
