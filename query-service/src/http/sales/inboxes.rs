//! `/v1/inbox`: what waits for the asker's side, what waits for the other one, and what is about to
//! expire.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State, http::StatusCode};
use jiff::ToSpan;
use projections::views::sales::{
    inboxes::{self, Filter, Item, Kind, Waiting},
    quotation_requests,
};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::Query,
    page::{Page, PageRequest},
    problem::{FieldError, Problem},
};
use uuid::Uuid;

use crate::{
    Queries,
    asker::{Asker, By, People, problem},
    http::one_more,
};

const VIEWS: &[&str] = &[inboxes::PROJECTION.name, quotation_requests::PROJECTION.name];

/// How far ahead somebody may look for what expires.
const MOST_DAYS: u16 = 366;

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/inbox",
        get_with(list, |o| {
            o.id("inbox.list").summary(
                "List requests, offers and negotiations that wait for an answer, the oldest first",
            )
        }),
    )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// What waits for the asker's own side, or for the other one; both when not given.
    waiting: Option<Waiting>,
    /// Only what is of this kind.
    kind: Option<Kind>,
    /// Only what ends within so many days, at most 366, or should have been answered already.
    about_to_expire: Option<u16>,
    /// With this company.
    company: Option<Uuid>,
    /// Only what the asker looks after or, in a company, has asked for or spoke in last.
    mine: Option<bool>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<People>,
    Query(List { limit, cursor, waiting, kind, about_to_expire, company, mine }): Query<List>,
) -> Result<Json<Page<Item>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let until = match about_to_expire {
        None => None,
        Some(days @ 0..=MOST_DAYS) => {
            Some(queries.clock.today().saturating_add(i64::from(days).days()))
        }
        Some(_) => {
            let detail = format!("must be 0 to {MOST_DAYS}");
            return Err(Problem::new(StatusCode::BAD_REQUEST, "query.invalid")
                .field(FieldError::parameter("about_to_expire", detail)));
        }
    };
    let filter = Filter {
        side: asker.side(),
        company: asker.narrowed(company)?,
        waiting,
        kind,
        until,
        employee: if mine == Some(true) { Some(employee(&asker)?) } else { None },
    };
    let client = asker.client(&queries, VIEWS).await?;
    let items = inboxes::list(&client, filter, cursor, one_more(limit)).await.map_err(problem)?;
    Ok(Json(Page::of(items, limit, |item| item.position)))
}

fn employee(asker: &Asker) -> Result<Uuid, Problem> {
    asker.employee().map(Uuid::from).ok_or_else(|| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "inbox.needs_employee")
            .field(FieldError::parameter("mine", "ask with a key that was made for an employee"))
    })
}
