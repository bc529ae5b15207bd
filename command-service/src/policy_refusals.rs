//! Refused reactions of policies: listing and retrying them.

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

/// The attempt that determines the status of a refusal: the successful one, or else the last.
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
/// Two concurrent records of an attempt become one, done if either is.
const RECORD: &str = "
    INSERT INTO policy.attempts AS attempt
        (policy, position, attempt, tried_by, code, detail, done_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (policy, position, attempt) DO UPDATE
        SET code = NULL, detail = NULL, done_at = excluded.done_at
        WHERE attempt.code IS NOT NULL AND excluded.code IS NULL";

/// The status of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Standing")]
pub enum RefusalState {
    /// The reaction has not been executed.
    Open,
    /// A later attempt succeeded.
    Done,
}

/// A refused reaction.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Refusal {
    /// Its id, derived from the policy and the event.
    pub id: Uuid,
    /// The policy.
    pub policy: String,
    /// Whether a retry has succeeded.
    pub state: RefusalState,
    /// The event.
    pub event: Cause,
    /// The code of the last refused attempt; of the first, once it is done.
    pub code: String,
    /// The detail of the last refused attempt; missing in records of older builds, and once it is
    /// done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The time of the first refusal.
    pub refused_at: Timestamp,
    /// The number of attempts.
    pub attempts: i32,
    /// The time of the last attempt.
    pub tried_at: Timestamp,
    /// Who requested the last attempt; missing for the policy's own attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tried_by: Option<String>,
    /// The position of the reaction's events; missing while it is open, and if it has no events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done_at: Option<u64>,
}

/// The event of a refused reaction.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Cause {
    /// Its id.
    pub id: Uuid,
    /// Its position.
    pub position: u64,
    /// Its type; missing if the log does not contain it.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// The type of its aggregate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<String>,
    /// The id of its aggregate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate_id: Option<Uuid>,
    /// Its company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<Uuid>,
}

/// Which refusals to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) policy: Option<String>,
    pub(crate) state: Option<RefusalState>,
}

/// The last item of a page.
pub(crate) type Cursor = (u64, String);

/// Why a retry was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RetryError {
    /// There is no such refusal.
    #[error("there is no such refusal")]
    Missing,
    /// Its policy belongs to another build.
    #[error("this build has no policy {0}")]
    UnknownPolicy(String),
    /// Its event is missing in the log, or belongs to another build.
    #[error("the event at position {0} cannot be read")]
    NoEvent(u64),
    /// A transient error; the retry can be repeated.
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

/// A page of refusals, those of the newest events first.
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

/// Retries a refused reaction as a new attempt, and returns the refusal afterwards. A refusal that
/// is done is not retried.
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
    // No connection is held during the decision.
    let outcome = policy.react_to(services, &recorded, &event, attempt).await;
    let (refused, done_at) = match outcome.map_err(policies::ReactionError::refused) {
        Ok(done_at) => (None, done_at),
        Err(Ok(refused)) => (Some(refused), None),
        Err(Err(error)) => return Err(error.into()),
    };
    match &refused {
        None => {
            tracing::info!(policy = policy.name, position, attempt, "a refused reaction succeeded");
        }
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
