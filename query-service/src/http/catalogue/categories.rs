//! `/v1/categories`: the tree in which products stand.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::catalogue::categories::{self, Category, Filter};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{PathId, Query},
    page::{Page, PageRequest},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    asker::{By, Trade, problem},
    http::{one_more, only},
};

const VIEWS: &[&str] = &[categories::PROJECTION.name];

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/categories",
            get_with(list, |o| o.id("category.list").summary("Categories, in order of opening")),
        )
        .api_route(
            "/v1/categories/{id}",
            get_with(show, |o| o.id("category.show").summary("One category")),
        )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// The category right above them.
    parent: Option<Uuid>,
    /// Only those that have none above them.
    #[serde(default)]
    roots: bool,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    Query(List { limit, cursor, parent, roots }): Query<List>,
) -> Result<Json<Page<Category>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let client = asker.client(&queries, VIEWS).await?;
    let filter = Filter { id: None, parent, roots };
    let items =
        categories::list(&client, filter, cursor, one_more(limit)).await.map_err(problem)?;
    Ok(Json(Page::of(items, limit, |category| category.created)))
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    PathId(id): PathId,
) -> Result<Json<Category>, Problem> {
    let client = asker.client(&queries, VIEWS).await?;
    let filter = Filter { id: Some(id), ..Filter::default() };
    only(categories::list(&client, filter, None, 1).await.map_err(problem)?)
}
