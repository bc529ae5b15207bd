//! Recorded events, and aggregate states derived from them.

mod visible;

use std::time::Duration;

use domain::history;
use event_log::{At, Direction, Lookup, PastStateError, Position, RecordedEvent, StateAt};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::permissions::{Audit, ReadHistory};
use service_kit::{
    page::{Listing, Page, PageRequest},
    problem::{FieldError, Problem, StatusCode},
};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::{Queries, app::invalid, asker::Asker};

pub(crate) use visible::Actors;

/// An event as it was recorded.
#[derive(Debug, Serialize, JsonSchema)]
#[allow(clippy::struct_field_names, reason = "names of columns")]
#[schemars(rename = "RecordedEvent")]
#[allow(
    missing_docs,
    reason = "self-explanatory names; comments would change the OpenAPI document"
)]
pub struct Event {
    pub position: u64,
    pub event_id: Uuid,
    pub stream_type: String,
    pub stream_id: Uuid,
    /// Missing where it would reveal to a company how many events are hidden from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    pub event_type: String,
    pub schema_version: u16,
    pub company_id: Option<Uuid>,
    /// The actor; for a company, every actor of the seller is `seller`.
    pub actor: String,
    pub command_id: Uuid,
    pub correlation_id: Uuid,
    pub causation_id: Option<Uuid>,
    pub recorded_at: String,
    pub payload: serde_json::Value,
}

impl From<RecordedEvent> for Event {
    fn from(event: RecordedEvent) -> Self {
        Self {
            position: event.position.0,
            event_id: event.event_id,
            stream_type: event.stream_type,
            stream_id: event.stream_id,
            version: Some(event.version),
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

/// Which events to list: those that match all given filters. In ascending order the last page also
/// has a cursor, which continues with later events.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    /// Start after this position; instead of a cursor.
    pub from: Option<u64>,
    /// Wait 0 to 30 seconds for an event if there is none; the page is empty if none was recorded
    /// in time. Only in ascending order.
    pub wait: Option<u8>,
    /// Ascending or descending order of positions.
    #[serde(default)]
    pub order: Order,
    /// Only this type of aggregate, such as `offer`.
    pub aggregate: Option<String>,
    /// Only these event types, separated by commas, such as `offer.sent,offer.accepted`.
    #[serde(rename = "type")]
    pub event_type: Option<String>,
    /// Only this company; not needed with a company's key.
    pub company: Option<Uuid>,
    /// Only this correlation id.
    pub correlation: Option<Uuid>,
    /// Only this command.
    pub command: Option<Uuid>,
    /// Only events that a policy caused in reaction to the event with this id.
    pub causation: Option<Uuid>,
    /// Only events recorded at this time or later, such as `2026-10-01T12:00:00Z`.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub since: Option<Timestamp>,
    /// Only events recorded before this time.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub until: Option<Timestamp>,
}

/// The order of events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "SortDirection")]
pub enum Order {
    /// Ascending positions.
    #[default]
    Asc,
    /// Descending positions.
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

/// The maximum number of event types in a query.
const TYPES: usize = 50;

impl EventsQuery {
    /// The lookup in the log, restricted to what the asker may see.
    fn lookup(&self, asker: &Asker) -> Result<Lookup, Problem> {
        let types = self.event_type.as_deref().unwrap_or_default();
        let event_types: Vec<_> =
            types.split(',').filter(|t| !t.is_empty()).map(str::to_owned).collect();
        let unknown = |parameter, name: &str, such: &str| {
            let name: String = name.chars().take(100).collect();
            invalid(parameter, format!("{name} is no {such}"))
        };
        if let Some(aggregate) = &self.aggregate
            && !history::aggregates().any(|known| known == aggregate)
        {
            return Err(unknown("aggregate", aggregate, "aggregate type"));
        }
        let is_known = |wanted: &String| history::Event::types().any(|(t, _)| t == wanted);
        if let Some(other) = event_types.iter().find(|wanted| !is_known(wanted)) {
            return Err(unknown("type", other, "event type"));
        }
        if event_types.len() > TYPES {
            return Err(invalid("type", format!("must have at most {TYPES} event types")));
        }
        Ok(Lookup {
            stream_type: self.aggregate.clone(),
            event_types,
            company_id: asker.narrowed(self.company)?,
            correlation_id: self.correlation,
            command_id: self.command,
            causation_id: self.causation,
            since: self.since,
            until: self.until,
            ..visible(asker)
        })
    }

    /// The position after which the page begins: that of the cursor, or the given one.
    async fn start(
        &self,
        queries: &Queries,
        page: &PageRequest,
    ) -> Result<Option<Position>, Problem> {
        let cursor = page.cursor::<u64>()?;
        let Some(from) = self.from else { return Ok(cursor.map(Position)) };
        if cursor.is_some() || self.order == Order::Desc {
            return Err(invalid("from", "is only for ascending order, and excludes a cursor"));
        }
        let head = queries.log.head().await.map_err(|error| problem(&error))?;
        if Position(from) > head {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "position.invalid")
                .detail(format!("the head of the log is position {head}"))
                .field(FieldError::parameter("from", "must not be after the head of the log")));
        }
        Ok(Some(Position(from)))
    }

    /// The time to wait.
    fn patience(&self) -> Result<Duration, Problem> {
        match (self.wait, self.order) {
            (None | Some(0), _) => Ok(Duration::ZERO),
            (Some(seconds @ 1..=30), Order::Asc) => Ok(Duration::from_secs(seconds.into())),
            (Some(_), _) => Err(invalid("wait", "must be 0 to 30 seconds, in ascending order")),
        }
    }

    /// A page of events, as the asker may see them. In ascending order it always has a cursor,
    /// since later events may follow.
    async fn page(
        &self,
        queries: &Queries,
        lookup: &Lookup,
        start: Option<Position>,
        page: &PageRequest,
    ) -> Result<Page<Event>, Problem> {
        let limit = page.limit()?;
        let goes_on = self.order == Order::Asc;
        // All matching events up to this position are found below.
        let head = if goes_on { queries.log.head().await } else { Ok(Position(0)) };
        let head = head.map_err(|error| problem(&error))?;
        let found = queries.log.page(lookup, self.order.into(), start, limit + 1).await;
        let (items, was_cut) = found.map_err(|error| problem(&error))?;
        let items = items.into_iter().map(Event::from).collect();
        let items = if lookup.disclosed { visible::redacted(queries, items).await? } else { items };
        let page = Page::of(items, limit, |event: &Event| event.position);
        if page.next_cursor.is_some() {
            return Ok(page);
        }
        let last = page.items.last().map(|event| event.position);
        let next = match (was_cut, goes_on) {
            (true, _) => last,
            (false, true) => last.max(Some(head.0)).max(start.map(|start| start.0)),
            (false, false) => None,
        };
        Ok(Page::ending(page.items, next.as_ref()))
    }
}

/// All events that the asker may see.
fn visible(asker: &Asker) -> Lookup {
    let company_id = asker.company();
    Lookup { company_id, disclosed: company_id.is_some(), ..Lookup::default() }
}

/// Events in the order of positions; with [`EventsQuery::wait`], also as they are recorded.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page: request, filter: query }: Listing<EventsQuery>,
) -> Result<Page<Event>, Problem> {
    asker.require::<ReadHistory>()?;
    let (lookup, patience) = (query.lookup(asker)?, query.patience()?);
    let start = query.start(queries, &request).await?;
    let end = Instant::now() + patience;
    // Subscribed before the first read, so that no later event is missed.
    let waiting = (!patience.is_zero()).then(|| queries.live.wait(asker.as_ref()));
    let mut waiting = waiting.transpose()?;
    loop {
        let page = query.page(queries, &lookup, start, &request).await?;
        let Some(waiting) = waiting.as_mut().filter(|_| page.items.is_empty()) else {
            return Ok(page);
        };
        match timeout_at(end, waiting.for_one(&lookup)).await {
            Ok(true) => {}
            Ok(false) | Err(_) => return Ok(page),
        }
    }
}

/// The events of one aggregate, in ascending order.
pub async fn history(
    queries: &Queries,
    asker: &Asker,
    id: Uuid,
    Listing { page: request, filter: query }: Listing<EventsQuery>,
) -> Result<Page<Event>, Problem> {
    asker.require::<ReadHistory>()?;
    let lookup = Lookup { stream_id: Some(id), ..query.lookup(asker)? };
    if query.wait.is_some() {
        return Err(invalid("wait", "is only supported by /v1/events"));
    }
    let start = query.start(queries, &request).await?;
    let page = query.page(queries, &lookup, start, &request).await?;
    if page.items.is_empty() {
        // The aggregate does not exist, or belongs to another company, which is answered in the
        // same way.
        let whole = Lookup { stream_id: Some(id), ..visible(asker) };
        let any = queries.log.find(&whole, Direction::Forwards, None, 1);
        if any.await.map_err(|error| problem(&error))?.is_empty() {
            return Err(Problem::not_found());
        }
    }
    Ok(page)
}

/// The moment; now when not given.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// After this version.
    pub version: Option<u64>,
    /// At this position.
    pub position: Option<u64>,
    /// At this time.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub at: Option<Timestamp>,
}

/// The state of one aggregate, now or at a moment.
pub async fn state(
    queries: &Queries,
    asker: &Asker,
    id: Uuid,
    when: When,
) -> Result<Then, Problem> {
    asker.require::<Audit>()?;
    let at = match when {
        When { version: None, position: None, at: None } => At::Now,
        When { version: Some(version), position: None, at: None } => At::Version(version),
        When { version: None, position: Some(position), at: None } => {
            At::Position(Position(position))
        }
        When { version: None, position: None, at: Some(instant) } => At::Instant(instant),
        When { .. } => {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "query.invalid")
                .detail("give at most one of version, position and at"));
        }
    };
    match queries.log.state_at(id, at).await {
        Ok(state) => Ok(state.into()),
        Err(PastStateError::Nothing) => Err(Problem::not_found()),
        Err(PastStateError::Log(error)) => Err(problem(&error)),
        Err(error @ PastStateError::Unreadable { .. }) => Err(Problem::internal(&error)),
    }
}

/// The state of an aggregate at a moment.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ThingState")]
#[allow(
    missing_docs,
    reason = "self-explanatory names; comments would change the OpenAPI document"
)]
pub struct Then {
    pub stream_type: String,
    pub stream_id: Uuid,
    pub version: u64,
    pub position: u64,
    pub recorded_at: String,
    pub company_id: Option<Uuid>,
    /// The state as decisions use it; its form is not part of the API contract.
    pub state: serde_json::Value,
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
        Problem::unavailable("the log is unavailable")
    } else {
        Problem::internal(error)
    }
}
