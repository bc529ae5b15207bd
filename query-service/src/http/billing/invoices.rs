//! `/v1/invoices`: invoices and credit notes, and what of them is open.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::billing::invoices::{self, Counted, Filter, Invoice};
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
    asker::{By, Money, problem},
    http::{one_more, only},
};

const VIEWS: &[&str] = &[invoices::PROJECTION.name];

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/invoices",
            get_with(list, |o| {
                o.id("invoice.list")
                    .summary("Invoices and credit notes without their lines, newest first")
            }),
        )
        .api_route(
            "/v1/invoices/{id}",
            get_with(show, |o| o.id("invoice.show").summary("One invoice or credit note")),
        )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// Those of this company.
    company: Option<Uuid>,
    /// The one with this number.
    number: Option<String>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Money>,
    Query(List { limit, cursor, company, number }): Query<List>,
) -> Result<Json<Page<Invoice<Counted>>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let company = asker.narrowed(company)?;
    let client = asker.client(&queries, VIEWS).await?;
    let filter =
        Filter { today: queries.clock.today(), id: None, company, number: number.as_deref() };
    let items = invoices::summaries(&client, &filter, cursor, one_more(limit)).await;
    Ok(Json(Page::of(items.map_err(problem)?, limit, |item| item.created)))
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Money>,
    PathId(id): PathId,
) -> Result<Json<Invoice>, Problem> {
    let company = asker.company();
    let client = asker.client(&queries, VIEWS).await?;
    let filter = Filter { today: queries.clock.today(), id: Some(id), company, number: None };
    only(invoices::list(&client, &filter, None, 1).await.map_err(problem)?)
}
