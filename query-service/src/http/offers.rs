//! `/v1/offers`: what was proposed to whom.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::offers::{self, Filter, Offer};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{PathId, Query},
    page::{Page, PageRequest},
    problem::Problem,
};
use uuid::Uuid;

use super::{one_more, only};
use crate::{
    Queries,
    asker::{By, Trade, problem},
};

const VIEWS: &[&str] = &[offers::PROJECTION.name];

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/offers",
            get_with(list, |o| {
                o.id("offer.list").summary("Offers, newest first; a buyer sees what was sent")
            }),
        )
        .api_route("/v1/offers/{id}", get_with(show, |o| o.id("offer.show").summary("One offer")))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// Those of this company.
    company: Option<Uuid>,
    /// Those with this status.
    status: Option<String>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    Query(List { limit, cursor, company, status }): Query<List>,
) -> Result<Json<Page<Offer>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let company = asker.narrowed(company)?;
    let client = asker.client(&queries, VIEWS).await?;
    let filter = Filter {
        company,
        sent_only: asker.company().is_some(),
        status: status.as_deref(),
        ..Filter::default()
    };
    let items = offers::list(&client, &filter, cursor, one_more(limit)).await.map_err(problem)?;
    Ok(Json(Page::of(items, limit, |item| item.created)))
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    PathId(id): PathId,
) -> Result<Json<Offer>, Problem> {
    let company = asker.company();
    let client = asker.client(&queries, VIEWS).await?;
    let filter =
        Filter { id: Some(id), company, sent_only: company.is_some(), ..Filter::default() };
    only(offers::list(&client, &filter, None, 1).await.map_err(problem)?)
}
