//! Runs the policies of the domain: what follows from an event by itself.
//!
//! Each has a checkpoint. The id of a command derives from the event that caused it and its
//! outcome is remembered, so a crash between the command and the checkpoint repeats nothing, and
//! two processes that run the same policy do no harm.

mod accepted_offer_places_order;
mod booked_payment_is_allocated;
mod dispatch_issues_invoice;
mod employee_keeps_keys;
mod invoice_counts_as_purchase;
mod issued_document_is_settled;

use std::time::Duration;

use domain::Event;
use event_log::{Envelope, ExecuteError, Position, RecordedEvent, Work};
use futures::{StreamExt, future::BoxFuture, stream::FuturesOrdered};
use metrics::{counter, gauge};
use projections::ReadError;
use schemars::JsonSchema;
use serde::Serialize;
use service_kit::{
    health::explained,
    migrations::{Migration, MigrationError, migrate},
    problem::Problem,
};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Services, failure::Failure};

/// Every migration of schema `policy`, in order.
pub const MIGRATIONS: &[Migration] =
    &[Migration { number: 1, name: "policy", sql: include_str!("../migrations/0001_policy.sql") }];

/// A policy as it is run: its name, how many events it may work on at once, and what it does.
#[derive(Clone, Copy)]
struct Policy {
    name: &'static str,
    /// Events whose consequences do not depend on one another's order.
    at_once: usize,
    /// The kind of aggregates to whose events it reacts; it never looks at others.
    reads: &'static str,
    /// Whether an event concerns it.
    concerns: fn(&Event) -> bool,
    react: for<'a> fn(Reaction<'a>) -> BoxFuture<'a, Result<(), ReactionError>>,
}

const ALL: [Policy; 6] = [
    accepted_offer_places_order::POLICY,
    booked_payment_is_allocated::POLICY,
    dispatch_issues_invoice::POLICY,
    employee_keeps_keys::POLICY,
    invoice_counts_as_purchase::POLICY,
    issued_document_is_settled::POLICY,
];

/// The names of all policies.
pub const NAMES: [&str; 6] =
    [ALL[0].name, ALL[1].name, ALL[2].name, ALL[3].name, ALL[4].name, ALL[5].name];

/// An event and what is needed to react to it.
#[derive(Clone, Copy)]
struct Reaction<'a> {
    services: &'a Services,
    policy: Policy,
    recorded: &'a RecordedEvent,
    event: &'a Event,
}

/// Why a consequence was not drawn.
#[derive(Debug)]
enum ReactionError {
    /// It could not be executed.
    Command(ExecuteError<Failure>),
    /// What it depends on is not known.
    Facts(ReadError),
}

impl From<ExecuteError<Failure>> for ReactionError {
    fn from(error: ExecuteError<Failure>) -> Self {
        Self::Command(error)
    }
}

impl From<ReadError> for ReactionError {
    fn from(error: ReadError) -> Self {
        Self::Facts(error)
    }
}

impl<'a> Reaction<'a> {
    async fn run(self) -> (&'a RecordedEvent, Result<(), ReactionError>) {
        (self.recorded, (self.policy.react)(self).await)
    }

    /// Executes the consequence as one command; once, however often it is tried.
    async fn execute<F>(&self, decide: F) -> Result<(), ReactionError>
    where
        F: for<'w> Fn(&'w mut Work) -> BoxFuture<'w, Result<(), Failure>> + Send + Sync,
    {
        let cause = self.recorded;
        let envelope = Envelope {
            command_id: Uuid::new_v5(&cause.event_id, self.policy.name.as_bytes()),
            remember: Some(Sha256::digest(cause.event_id.as_bytes()).into()),
            actor: format!("policy:{}", self.policy.name),
            correlation_id: cause.correlation_id,
            causation_id: Some(cause.event_id),
        };
        self.services.log.execute(&envelope, decide).await?;
        Ok(())
    }
}

/// Why the policies do not go on at the moment.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The log cannot be read or written.
    #[error("the log does not answer")]
    Log(#[from] event_log::Error),
    /// PostgreSQL refused.
    #[error("PostgreSQL refused a statement on a checkpoint")]
    Database(#[from] tokio_postgres::Error),
    /// PostgreSQL or a read model cannot be reached.
    #[error("the read models do not answer")]
    Unavailable(#[from] ReadError),
    /// An event of a newer build, or a damaged one.
    #[error("the event at position {position} cannot be read")]
    Unreadable {
        /// Where it stands.
        position: Position,
        /// Why.
        source: domain::UnreadableEvent,
    },
    /// Others kept changing the same; it is tried again.
    #[error("others kept changing the same")]
    Conflict,
    /// The schema could not be migrated.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

/// A crash of PostgreSQL may take back the last checkpoint: commands that were executed are not
/// executed again, so nobody waits for the disk here. The transaction is idle while a consequence
/// is written; beyond the log's own patience, the process has been stopped and another takes over.
const SESSION: &str = "
    SET LOCAL synchronous_commit TO off; SET LOCAL idle_in_transaction_session_timeout TO '12s'";
const REGISTER: &str = "
    INSERT INTO policy.checkpoints (policy) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING";
const TAKE: &str =
    "SELECT position FROM policy.checkpoints WHERE policy = $1 FOR UPDATE SKIP LOCKED";
const ADVANCE: &str = "UPDATE policy.checkpoints SET position = $2 WHERE policy = $1";
const REFUSED: &str = "
    INSERT INTO policy.refusals (policy, position, event_id, code) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING";
const PROGRESS: &str = "SELECT policy, position FROM policy.checkpoints ORDER BY policy";

/// How many events are looked at before the checkpoint moves.
const PAGE: usize = 500;

/// How far a policy has got.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Progress {
    /// Its name.
    pub policy: String,
    /// All events up to here have had their consequences.
    pub position: u64,
    /// Where the log ended when this was asked: the consequences lie no further.
    pub head: u64,
}

/// How far each policy has got.
pub async fn progress(services: &Services) -> Result<Vec<Progress>, PolicyError> {
    let rows = services.views.client().await?.query(PROGRESS, &[]).await?;
    let head = services.log.head().await?.0;
    Ok(rows
        .iter()
        .map(|row| Progress {
            policy: row.get(0),
            position: row.get::<_, i64>(1).unsigned_abs(),
            head,
        })
        .collect())
}

/// Why a policy does not get on at the moment; nothing while it does.
pub type Waiting = watch::Receiver<Option<String>>;

/// Sets up what is missing, then runs all policies until cancelled; says of each how it is.
pub async fn start(
    services: &Services,
    cancel: &CancellationToken,
) -> Result<Vec<(&'static str, Waiting)>, PolicyError> {
    let mut client = services.views.client().await?;
    migrate(&mut client, "policy", MIGRATIONS).await?;
    client.execute(REGISTER, &[&NAMES.as_slice()]).await?;
    let start = |policy: Policy| {
        let (services, cancel) = (services.clone(), cancel.clone());
        let (announce, waiting) = watch::channel(None);
        tokio::spawn(async move {
            cancel.run_until_cancelled(run(&services, policy, &announce)).await;
        });
        (policy.name, waiting)
    };
    Ok(ALL.map(start).into())
}

async fn run(services: &Services, policy: Policy, waiting: &watch::Sender<Option<String>>) {
    let mut committed = services.log.committed();
    loop {
        committed.mark_unchanged();
        let advanced = advance(services, policy).await;
        waiting.send_replace(advanced.as_ref().err().map(|error| explained(error)));
        match advanced {
            Ok(Advanced::ToTheEnd) => {
                // Other processes write too, so it looks by itself now and then.
                let pause = Duration::from_millis(200);
                let _ = tokio::time::timeout(pause, committed.changed()).await;
            }
            Ok(Advanced::APage) => {}
            Ok(Advanced::SomebodyElseRuns) => tokio::time::sleep(Duration::from_secs(1)).await,
            Err(error) => {
                counter!("kontor_policy_failures_total", "policy" => policy.name).increment(1);
                tracing::warn!(
                    policy = policy.name,
                    error = &error as &dyn std::error::Error,
                    "policy waits"
                );
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
}

enum Advanced {
    ToTheEnd,
    APage,
    SomebodyElseRuns,
}

/// Works through the next page of events, then moves the checkpoint.
#[tracing::instrument(level = "debug", skip_all, fields(policy = policy.name))]
async fn advance(services: &Services, policy: Policy) -> Result<Advanced, PolicyError> {
    let mut client = services.views.client().await?;
    let transaction = client.transaction().await?;
    transaction.batch_execute(SESSION).await?;
    let Some(row) = transaction.query_opt(TAKE, &[&policy.name]).await? else {
        return Ok(Advanced::SomebodyElseRuns);
    };
    let position = Position(row.get::<_, i64>(0).unsigned_abs());
    let page = services.log.read(position, PAGE).await?;
    if page.is_empty() {
        return Ok(Advanced::ToTheEnd);
    }
    let (mut events, mut last) = (Vec::new(), position);
    for recorded in &page {
        if recorded.stream_type == policy.reads {
            match recorded.event() {
                Ok(event) if (policy.concerns)(&event) => events.push((recorded, event)),
                Ok(_) => {}
                // What came before it has its consequences first.
                Err(_) if last > position => break,
                Err(source) => {
                    return Err(PolicyError::Unreadable { position: recorded.position, source });
                }
            }
        }
        last = recorded.position;
    }
    let mut waiting = events.iter();
    let mut reactions = FuturesOrdered::new();
    loop {
        while reactions.len() < policy.at_once
            && let Some((recorded, event)) = waiting.next()
        {
            reactions.push_back(Reaction { services, policy, recorded, event }.run());
        }
        let Some((recorded, result)) = reactions.next().await else { break };
        if let Some(code) = refused(result)? {
            let position = recorded.position.0.cast_signed();
            counter!("kontor_policy_refusals_total", "policy" => policy.name).increment(1);
            tracing::error!(policy = policy.name, position, code, "a consequence was refused");
            let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
                [&policy.name, &position, &recorded.event_id, &code];
            transaction.execute(REFUSED, &parameters).await?;
        }
    }
    transaction.execute(ADVANCE, &[&policy.name, &last.0.cast_signed()]).await?;
    transaction.commit().await?;
    #[allow(clippy::cast_precision_loss, reason = "a metric is a float")]
    gauge!("kontor_policy_position", "policy" => policy.name).set(last.0 as f64);
    let is_all = page.len() < PAGE && page.last().is_some_and(|event| event.position == last);
    Ok(if is_all { Advanced::ToTheEnd } else { Advanced::APage })
}

/// The code of a refusal, which is recorded and does not stop the policy; what may pass does.
fn refused(result: Result<(), ReactionError>) -> Result<Option<String>, PolicyError> {
    let code = |problem: &Problem| Ok(Some(problem.code().to_owned()));
    let error = match result {
        Ok(()) => return Ok(None),
        Err(ReactionError::Facts(error)) => return Err(error.into()),
        Err(ReactionError::Command(error)) => error,
    };
    match error {
        ExecuteError::Refused(Failure::Refused(problem)) => code(&problem),
        ExecuteError::Refused(Failure::Log(error)) | ExecuteError::Log(error) => Err(error.into()),
        ExecuteError::Conflict => Err(PolicyError::Conflict),
        ExecuteError::KeyReused => Ok(Some("idempotency_key.reused".to_owned())),
        ExecuteError::TooLarge => Ok(Some("command.too_large".to_owned())),
    }
}
