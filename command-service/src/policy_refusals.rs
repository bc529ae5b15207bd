//! Consequences that were refused: to be looked into, and to be tried again.

use event_log::{EventLog, Position};
use jiff::Timestamp;
use projections::ReadError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use crate::{
    Services,
    policies::{self, PolicyError, Refused},
};

/// The attempt that decides how a refusal stands: the one that was done, or else the last.
const LIST: &str = "
    SELECT md5(refusal.policy || '/' || refusal.event_id::text)::uuid, refusal.policy,
        refusal.position, refusal.event_id, event.event_type, event.stream_type, event.stream_id,
        event.company_id, coalesce(tried.code, refusal.code), tried.detail, refusal.refused_at,
        coalesce(tried.attempt, 1), coalesce(tried.tried_at, refusal.refused_at), tried.tried_by,
        tried.attempt IS NOT NULL AND tried.code IS NULL, tried.done_at
    FROM policy.refusals refusal
    LEFT JOIN log.events event ON event.position = refusal.position
    LEFT JOIN LATERAL (
        SELECT * FROM policy.attempts attempt
        WHERE attempt.policy = refusal.policy AND attempt.position = refusal.position
        ORDER BY attempt.code IS NULL DESC, attempt.attempt DESC LIMIT 1) tried ON true
    WHERE ($1::uuid IS NULL OR md5(refusal.policy || '/' || refusal.event_id::text)::uuid = $1)
        AND ($2::text IS NULL OR refusal.policy = $2)
        AND ($3::boolean IS NULL OR (tried.attempt IS NOT NULL AND tried.code IS NULL) = $3)
        AND ($4::bigint IS NULL OR (refusal.position, refusal.policy) < ($4, $5))
    ORDER BY refusal.position DESC, refusal.policy DESC LIMIT $6";
/// The same attempt made twice at once is recorded once, and as done if either did it.
const RECORD: &str = "
    INSERT INTO policy.attempts AS attempt
        (policy, position, attempt, tried_by, code, detail, done_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (policy, position, attempt) DO UPDATE
        SET code = NULL, detail = NULL, done_at = excluded.done_at
        WHERE attempt.code IS NOT NULL AND excluded.code IS NULL";

/// How a refusal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Standing")]
pub enum RefusalState {
    /// The consequence has not happened.
    Open,
    /// A later attempt was not refused.
    Done,
}

/// A consequence that was refused.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Refusal {
    /// Names it; it derives from the policy and the event.
    pub id: Uuid,
    /// The policy.
    pub policy: String,
    /// Whether the consequence has happened since.
    pub state: RefusalState,
    /// The event whose consequence it is.
    pub event: Cause,
    /// The rule that refused the last attempt; that which refused the first, once it is done.
    pub code: String,
    /// The same in words; absent for what an earlier build recorded, and once it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// When it was refused first.
    pub refused_at: Timestamp,
    /// How many attempts there were.
    pub attempts: i32,
    /// When the last one was made.
    pub tried_at: Timestamp,
    /// Who asked for the last one; absent when the policy made it by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tried_by: Option<String>,
    /// Where in the log the consequence stands; absent while it is open, and for what is no event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done_at: Option<u64>,
}

/// An event that has consequences.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Cause {
    /// Its id.
    pub id: Uuid,
    /// Where in the log it stands.
    pub position: u64,
    /// Its type; absent when the log does not have it.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// The kind of its aggregate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<String>,
    /// Which aggregate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate_id: Option<Uuid>,
    /// The company that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<Uuid>,
}

/// Which refusals are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) policy: Option<String>,
    pub(crate) state: Option<RefusalState>,
}

/// Where a page of refusals ended.
pub(crate) type Cursor = (u64, String);

/// Why an attempt was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RetryError {
    /// There is no such refusal.
    #[error("there is no such refusal")]
    Missing,
    /// Its policy belongs to another build.
    #[error("this build has no policy {0}")]
    UnknownPolicy(String),
    /// Its event is not in the log, or belongs to another build.
    #[error("the event at position {0} cannot be read")]
    NoEvent(u64),
    /// It may be tried again as it is.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl From<tokio_postgres::Error> for RetryError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Policy(error.into())
    }
}

impl From<ReadError> for RetryError {
    fn from(error: ReadError) -> Self {
        Self::Policy(error.into())
    }
}

impl From<event_log::Error> for RetryError {
    fn from(error: event_log::Error) -> Self {
        Self::Policy(error.into())
    }
}

/// A page of refusals, newest events first.
pub(crate) async fn list(
    client: &Client,
    filter: &Filter,
    cursor: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<Refusal>, tokio_postgres::Error> {
    let Filter { policy, state } = filter;
    let is_done = state.map(|state| state == RefusalState::Done);
    let (position, before) =
        cursor.map(|(position, policy)| (position.cast_signed(), policy)).unzip();
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
        [&None::<Uuid>, policy, &is_done, &position, &before, &limit];
    Ok(client.query(LIST, &parameters).await?.iter().map(refusal_of).collect())
}

async fn find(client: &Client, id: Uuid) -> Result<Option<Refusal>, tokio_postgres::Error> {
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
        [&Some(id), &None::<&str>, &None::<bool>, &None::<i64>, &None::<&str>, &1_i64];
    Ok(client.query_opt(LIST, &parameters).await?.as_ref().map(refusal_of))
}

/// Tries a refused consequence again, as a new attempt; says how the refusal stands then. What is
/// done is not done again.
pub(crate) async fn retry(
    services: &Services,
    id: Uuid,
    asked_by: &str,
) -> Result<Refusal, RetryError> {
    let refusal = find(&*services.views.client().await?, id).await?.ok_or(RetryError::Missing)?;
    if refusal.state == RefusalState::Done {
        return Ok(refusal);
    }
    let policy = policies::named(&refusal.policy)
        .ok_or_else(|| RetryError::UnknownPolicy(refusal.policy.clone()))?;
    let position = refusal.event.position;
    let recorded = event_at(&services.log, position).await?;
    let recorded = recorded
        .filter(|recorded| recorded.event_id == refusal.event.id)
        .ok_or(RetryError::NoEvent(position))?;
    let event = recorded.event().map_err(|_| RetryError::NoEvent(position))?;
    let attempt = refusal.attempts + 1;
    // No connection is held while it is decided.
    let outcome = policy.react_to(services, &recorded, &event, attempt).await;
    let (refused, done_at) = match outcome.map_err(policies::ReactionError::refused) {
        Ok(done_at) => (None, done_at),
        Err(Ok(refused)) => (Some(refused), None),
        Err(Err(error)) => return Err(error.into()),
    };
    match &refused {
        None => tracing::info!(policy = policy.name, position, attempt, "a refusal is done"),
        Some(Refused { code, detail }) => {
            tracing::error!(policy = policy.name, position, attempt, code, detail, "refused again");
        }
    }
    let client = services.views.client().await?;
    let (code, detail) = refused.map(|Refused { code, detail }| (code, detail)).unzip();
    let done_at = done_at.map(|done_at| done_at.0.cast_signed());
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
        [&policy.name, &position.cast_signed(), &attempt, &asked_by, &code, &detail, &done_at];
    client.execute(RECORD, &parameters).await?;
    find(&client, id).await?.ok_or(RetryError::Missing)
}

async fn event_at(
    log: &EventLog,
    position: u64,
) -> Result<Option<event_log::RecordedEvent>, event_log::Error> {
    let read = log.read(Position(position.saturating_sub(1)), 1).await?;
    Ok(read.into_iter().find(|event| event.position.0 == position))
}

fn refusal_of(row: &Row) -> Refusal {
    Refusal {
        id: row.get(0),
        policy: row.get(1),
        event: Cause {
            position: row.get::<_, i64>(2).unsigned_abs(),
            id: row.get(3),
            event_type: row.get(4),
            aggregate: row.get(5),
            aggregate_id: row.get(6),
            company: row.get(7),
        },
        code: row.get(8),
        detail: row.get(9),
        refused_at: row.get(10),
        attempts: row.get(11),
        tried_at: row.get(12),
        tried_by: row.get(13),
        state: if row.get(14) { RefusalState::Done } else { RefusalState::Open },
        done_at: row.get::<_, Option<i64>>(15).map(i64::unsigned_abs),
    }
}
