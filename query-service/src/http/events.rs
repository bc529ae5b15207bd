//! `/v1/events` and `/v1/history/{id}`: what happened, as it was recorded, and what it had come to.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State, http::StatusCode};
use domain::history::INTERNAL;
use event_log::{At, Direction, LookBackError, Lookup, Position, RecordedEvent, StateAt};
use jiff::Timestamp;
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
    asker::{Asker, Audit, By, History},
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
        .api_route(
            "/v1/history/{id}/state",
            get_with(state, |o| {
                o.id("event.state").summary("What one thing is, or was at a moment")
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

/// Which events are wanted: those of which all holds that is said.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// The oldest or the newest first.
    #[serde(default)]
    order: Order,
    /// Of this kind of aggregate, such as `offer`.
    aggregate: Option<String>,
    /// Of one of these types, separated by commas, such as `offer.sent,offer.accepted`.
    #[serde(rename = "type")]
    event_type: Option<String>,
    /// Of this company's history; a company's key knows its own.
    company: Option<Uuid>,
    /// Set off by this request.
    correlation: Option<Uuid>,
    /// Done by this command.
    command: Option<Uuid>,
    /// Recorded at this instant or later, such as `2026-10-01T12:00:00Z`.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    since: Option<Timestamp>,
    /// Recorded before this instant.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    until: Option<Timestamp>,
}

/// Which way history is read.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Order {
    /// The oldest first.
    #[default]
    Asc,
    /// The newest first.
    Desc,
}

impl From<Order> for Direction {
    fn from(order: Order) -> Self {
        match order {
            Order::Asc => Self::Forwards,
            Order::Desc => Self::Backwards,
        }
    }
}

/// As many types as a question names at most.
const TYPES: usize = 50;

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<History>,
    Query(wanted): Query<List>,
) -> Result<Json<Page<Event>>, Problem> {
    let page = PageRequest { limit: wanted.limit, cursor: wanted.cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<u64>()?);
    let types = wanted.event_type.as_deref().unwrap_or_default();
    let lookup = Lookup {
        stream_type: wanted.aggregate,
        event_types: types
            .split(',')
            .filter(|t| !t.is_empty())
            .take(TYPES)
            .map(str::to_owned)
            .collect(),
        except_types: unseen(&asker),
        company_id: asker.narrowed(wanted.company)?,
        correlation_id: wanted.correlation,
        command_id: wanted.command,
        since: wanted.since,
        until: wanted.until,
        stream_id: None,
    };
    let events = queries
        .log
        .find(&lookup, wanted.order.into(), cursor.map(Position), limit + 1)
        .await
        .map_err(|error| problem(&error))?;
    let items = events.into_iter().map(Event::from).collect();
    Ok(Json(Page::of(items, limit, |event: &Event| event.position)))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Whole {
    limit: Option<u16>,
    cursor: Option<String>,
    /// The oldest or the newest first.
    #[serde(default)]
    order: Order,
}

async fn history(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<History>,
    PathId(id): PathId,
    Query(Whole { limit, cursor, order }): Query<Whole>,
) -> Result<Json<Page<Event>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<u64>()?);
    let lookup = Lookup {
        stream_id: Some(id),
        company_id: asker.company(),
        except_types: unseen(&asker),
        ..Lookup::default()
    };
    let events = queries
        .log
        .find(&lookup, order.into(), cursor.map(Position), limit + 1)
        .await
        .map_err(|error| problem(&error))?;
    // A cursor that we gave leads to an event, since history only grows; one that was made up must
    // not tell another company's thing from a missing one.
    if events.is_empty() {
        return Err(Problem::not_found());
    }
    let items = events.into_iter().map(Event::from).collect();
    Ok(Json(Page::of(items, limit, |event: &Event| event.position)))
}

/// What a company's key sees nothing of.
fn unseen(asker: &Asker) -> Vec<String> {
    let hidden = if asker.company().is_some() { INTERNAL } else { &[] };
    hidden.iter().map(|event_type| (*event_type).to_owned()).collect()
}

/// When; now when nothing is said.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct When {
    /// After so many events.
    version: Option<u64>,
    /// When history had got to this position.
    position: Option<u64>,
    /// At this instant.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    at: Option<Timestamp>,
}

async fn state(
    State(queries): State<Queries>,
    _: By<Audit>,
    PathId(id): PathId,
    Query(when): Query<When>,
) -> Result<Json<Then>, Problem> {
    let at = match when {
        When { version: None, position: None, at: None } => At::Now,
        When { version: Some(version), position: None, at: None } => At::Version(version),
        When { version: None, position: Some(position), at: None } => {
            At::Position(Position(position))
        }
        When { version: None, position: None, at: Some(instant) } => At::Instant(instant),
        When { .. } => {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "query.invalid")
                .detail("say one of version, position and at"));
        }
    };
    match queries.log.state_at(id, at).await {
        Ok(state) => Ok(Json(state.into())),
        Err(LookBackError::Nothing) => Err(Problem::not_found()),
        Err(LookBackError::Log(error)) => Err(problem(&error)),
        Err(error @ LookBackError::Unreadable { .. }) => Err(Problem::internal(&error)),
    }
}

/// What a thing was.
#[derive(Debug, Serialize, JsonSchema)]
struct Then {
    stream_type: String,
    stream_id: Uuid,
    version: u64,
    position: u64,
    recorded_at: String,
    company_id: Option<Uuid>,
    /// As decisions saw it; its form is nobody's contract.
    state: serde_json::Value,
}

impl From<StateAt> for Then {
    fn from(then: StateAt) -> Self {
        Self {
            stream_type: then.stream_type,
            stream_id: then.stream_id,
            version: then.version,
            position: then.position.0,
            recorded_at: then.recorded_at.to_string(),
            company_id: then.company_id,
            state: then.state,
        }
    }
}

fn problem(error: &event_log::Error) -> Problem {
    if error.is_transient() {
        Problem::unavailable("the log does not answer")
    } else {
        Problem::internal(error)
    }
}
