//! `/v1/events` and `/v1/history/{id}`: what happened, as it was recorded.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use event_log::{Position, RecordedEvent};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{
    input::{PathId, Query},
    page::{Page, PageRequest},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    asker::{By, History},
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/events",
            get_with(list, |o| o.id("event.list").summary("History, in the order of positions")),
        )
        .api_route(
            "/v1/history/{id}",
            get_with(history, |o| {
                o.id("event.history").summary("The history of one thing, from its first event")
            }),
        )
}

/// An event as it was recorded.
#[derive(Debug, Serialize, JsonSchema)]
#[allow(clippy::struct_field_names, reason = "they are the columns' names")]
struct Event {
    position: u64,
    event_id: Uuid,
    stream_type: String,
    stream_id: Uuid,
    version: u64,
    event_type: String,
    schema_version: u16,
    company_id: Option<Uuid>,
    actor: String,
    command_id: Uuid,
    correlation_id: Uuid,
    causation_id: Option<Uuid>,
    recorded_at: String,
    payload: serde_json::Value,
}

impl From<RecordedEvent> for Event {
    fn from(event: RecordedEvent) -> Self {
        Self {
            position: event.position.0,
            event_id: event.event_id,
            stream_type: event.stream_type,
            stream_id: event.stream_id,
            version: event.version,
            event_type: event.event_type,
            schema_version: event.schema_version,
            company_id: event.company_id,
            actor: event.actor,
            command_id: event.command_id,
            correlation_id: event.correlation_id,
            causation_id: event.causation_id,
            recorded_at: event.recorded_at.to_string(),
            payload: serde_json::from_str(&event.payload).unwrap_or_default(),
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<History>,
    Query(List { limit, cursor }): Query<List>,
) -> Result<Json<Page<Event>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<u64>()?);
    let events = queries
        .log
        .read_of_company(asker.company(), Position(cursor.unwrap_or(0)), limit + 1)
        .await
        .map_err(|error| problem(&error))?;
    let items = events.into_iter().map(Event::from).collect();
    Ok(Json(Page::of(items, limit, |event: &Event| event.position)))
}

async fn history(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<History>,
    PathId(id): PathId,
    Query(List { limit, cursor }): Query<List>,
) -> Result<Json<Page<Event>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<u64>()?);
    let events = queries
        .log
        .read_stream(id, cursor.unwrap_or(0), limit + 1)
        .await
        .map_err(|error| problem(&error))?;
    let own = |event: &RecordedEvent| {
        asker.company().is_none_or(|company| event.company_id == Some(company))
    };
    // A cursor that we gave leads to an event, since history only grows; one that was made up must
    // not tell another company's thing from a missing one.
    if events.is_empty() || !events.iter().all(own) {
        return Err(Problem::not_found());
    }
    let items = events.into_iter().map(Event::from).collect();
    Ok(Json(Page::of(items, limit, |event: &Event| event.version)))
}

fn problem(error: &event_log::Error) -> Problem {
    if error.is_transient() {
        Problem::unavailable("the log does not answer")
    } else {
        Problem::internal(error)
    }
}
