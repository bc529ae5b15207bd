//! Runs the policies of the domain: automatic reactions to events.
//!
//! Each policy has a checkpoint (`policy_runner`). The id of its command derives from the event,
//! and the outcome of the command is stored, so a crash between the command and the checkpoint
//! repeats nothing, and two processes that run the same policy do no harm. A policy belongs to the
//! context that it changes.

mod billing;
mod kernel;
mod parties;
mod pricing;
mod sales;

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
};

use domain::Event;
use event_log::{Envelope, ExecuteError, Position, RecordedEvent};
use futures::{FutureExt, future::BoxFuture};
use projections::ReadError;
use schemars::JsonSchema;
use serde::Serialize;
use service_kit::{
    health::explained,
    migrations::{Migration, MigrationError, migrate},
    problem::Problem,
    supervisor::{Supervisor, panic_message},
};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    app::{Decide, Services},
    failure::Failure,
    policy_checkpoints::{Checkpoints, PolicyProgress},
    policy_runner::Runner,
};

/// The migrations of schema `policy`, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "policy", sql: include_str!("../migrations/0001_policy.sql") },
    Migration {
        number: 2,
        name: "policy leases",
        sql: include_str!("../migrations/0003_policy_leases.sql"),
    },
    Migration {
        number: 3,
        name: "policy attempts",
        sql: include_str!("../migrations/0004_policy_attempts.sql"),
    },
];

/// A policy: its name, the events it handles, its concurrency, and its reaction.
#[derive(Clone, Copy)]
pub(crate) struct Policy {
    pub(crate) name: &'static str,
    /// Events whose reactions may run in any order.
    pub(crate) at_once: usize,
    /// The type of the aggregates whose events it handles.
    pub(crate) reads: &'static str,
    /// Whether it handles an event.
    pub(crate) concerns: fn(&Event) -> bool,
    pub(crate) react: for<'a> fn(Reaction<'a>) -> BoxFuture<'a, Result<(), ReactionError>>,
}

const ALL: [Policy; 11] = [
    sales::accepted_offer_places_order::POLICY,
    billing::booked_payment_is_allocated::POLICY,
    kernel::claim_holds_normal_form::POLICY,
    billing::dispatch_issues_invoice::POLICY,
    sales::document_counts_as_credit::POLICY,
    sales::earlier_order_reserves_credit::POLICY,
    parties::employee_keeps_keys::POLICY,
    pricing::invoice_counts_as_purchase::POLICY,
    billing::issued_document_is_settled::POLICY,
    sales::payment_counts_as_credit::POLICY,
    sales::released_credit_frees_order::POLICY,
];

/// The names of all policies.
pub const NAMES: [&str; ALL.len()] = {
    let mut names = [""; ALL.len()];
    let mut index = 0;
    while index < ALL.len() {
        names[index] = ALL[index].name;
        index += 1;
    }
    names
};

/// The policy with a name, if this build has it.
pub(crate) fn named(name: &str) -> Option<Policy> {
    ALL.into_iter().find(|policy| policy.name == name)
}

/// An event and the dependencies of a reaction to it.
#[derive(Clone, Copy)]
pub(crate) struct Reaction<'a> {
    services: &'a Services,
    policy: Policy,
    recorded: &'a RecordedEvent,
    event: &'a Event,
    /// Counted from 1, the policy's own attempt; later ones are manual retries.
    attempt: i32,
    /// The position of its command, once recorded.
    done_at: &'a OnceLock<Position>,
}

/// Why a reaction failed.
#[derive(Debug)]
pub(crate) enum ReactionError {
    /// The command was not executed.
    Command(ExecuteError<Failure>),
    /// The facts for it are not available.
    Facts(ReadError),
    /// A panic, with its message.
    Panicked(String),
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

impl Policy {
    /// Reacts to an event; returns the position of its command, if it gave one.
    pub(crate) async fn react_to(
        self,
        services: &Services,
        recorded: &RecordedEvent,
        event: &Event,
        attempt: i32,
    ) -> Result<Option<Position>, ReactionError> {
        let done_at = OnceLock::new();
        let reaction =
            Reaction { services, policy: self, recorded, event, attempt, done_at: &done_at };
        caught(async { (self.react)(reaction).await }).await?;
        Ok(done_at.get().copied())
    }
}

/// Converts a panic into an error, so that a bug with one event does not end the policy.
async fn caught(
    reaction: impl Future<Output = Result<(), ReactionError>>,
) -> Result<(), ReactionError> {
    match AssertUnwindSafe(reaction).catch_unwind().await {
        Ok(result) => result,
        Err(panic) => Err(ReactionError::Panicked(panic_message(&*panic).to_owned())),
    }
}

impl Reaction<'_> {
    /// Executes the reaction as one command, once however often it is tried.
    async fn execute(&self, decide: &Decide<'_, '_>) -> Result<(), ReactionError> {
        self.execute_in_turn(&[], decide).await
    }

    /// The same for a command that changes these streams: commands with a stream in common are
    /// decided in the order of their events.
    async fn execute_in_turn(
        &self,
        streams: &[Uuid],
        decide: &Decide<'_, '_>,
    ) -> Result<(), ReactionError> {
        let cause = self.recorded;
        let envelope = Envelope {
            command_id: command_id(cause.event_id, self.policy.name, self.attempt),
            remember: Some(Sha256::digest(cause.event_id.as_bytes()).into()),
            actor: format!("policy:{}", self.policy.name),
            correlation_id: cause.correlation_id,
            causation_id: Some(cause.event_id),
        };
        let executed = self.services.execute_in_turn(&envelope, streams, decide).await?;
        let _ = self.done_at.set(executed.outcome.position);
        Ok(())
    }
}

/// The command id of an attempt, which is the same in every process.
fn command_id(event: Uuid, policy: &str, attempt: i32) -> Uuid {
    match attempt {
        1 => Uuid::new_v5(&event, policy.as_bytes()),
        _ => Uuid::new_v5(&event, format!("{policy}/{attempt}").as_bytes()),
    }
}

/// Why policies currently cannot continue.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The log cannot be read or written.
    #[error("the log is unavailable")]
    Log(#[from] event_log::Error),
    /// PostgreSQL reported an error.
    #[error("PostgreSQL refused a statement on a checkpoint")]
    Database(#[from] tokio_postgres::Error),
    /// PostgreSQL or a read model cannot be reached.
    #[error("the read models are unavailable")]
    Unavailable(#[from] ReadError),
    /// An event of a newer build, or a damaged one.
    #[error("the event at position {position} cannot be read")]
    Unreadable {
        /// Its position.
        position: Position,
        /// The cause.
        source: domain::UnreadableEvent,
    },
    /// Retries after conflicts are exhausted; it is tried again.
    #[error("concurrent modification, retries exhausted")]
    Conflict,
    /// This process was stopped for so long that another may have taken over.
    #[error("the lease of the policy has expired; another process may have taken over")]
    LeaseLost,
    /// The schema could not be migrated.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

/// A refused reaction: it is recorded, and the policy continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) code: String,
    pub(crate) detail: String,
}

impl Refused {
    /// The maximum length of a detail in bytes.
    const LONGEST: usize = 2_000;

    fn new(code: &str, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        detail.truncate(detail.floor_char_boundary(Self::LONGEST));
        Self { code: code.to_owned(), detail }
    }
}

impl From<&Problem> for Refused {
    fn from(problem: &Problem) -> Self {
        Self::new(problem.code(), problem.words())
    }
}

impl ReactionError {
    /// The refusal to record; an error if a retry may succeed without any change, or if every other
    /// event would fail in the same way.
    pub(crate) fn refused(self) -> Result<Refused, PolicyError> {
        let error = match self {
            Self::Panicked(message) => return Ok(Refused::new("policy.panicked", message)),
            Self::Facts(error @ ReadError::Malformed) => {
                return Ok(Refused::new("policy.facts_unreadable", explained(&error)));
            }
            Self::Facts(error) => return Err(error.into()),
            Self::Command(error) => error,
        };
        match error {
            ExecuteError::Refused(Failure::Refused(problem)) => Ok(Refused::from(&*problem)),
            ExecuteError::Refused(Failure::Log(error)) | ExecuteError::Log(error) => match error {
                event_log::Error::Unreadable { .. }
                | event_log::Error::SnapshotUnreadable { .. }
                | event_log::Error::Unwritable(_) => {
                    Ok(Refused::new("policy.history_unreadable", explained(&error)))
                }
                error => Err(error.into()),
            },
            ExecuteError::Conflict => Err(PolicyError::Conflict),
            ExecuteError::KeyReused => Ok(Refused::new(
                "idempotency_key.reused",
                "a command of this attempt was recorded before history was recovered",
            )),
            ExecuteError::TooLarge => {
                Ok(Refused::new("command.too_large", "it would record too much at once"))
            }
        }
    }
}

const REGISTER: &str = "
    INSERT INTO policy.checkpoints (policy) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING";
const PROGRESS: &str = "SELECT policy, position FROM policy.checkpoints ORDER BY policy";

/// The progress of a policy.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "PolicyProgress")]
pub struct Progress {
    /// Its name.
    pub policy: String,
    /// All events up to this position are handled.
    pub position: u64,
    /// The head of the log, read after the positions.
    pub head: u64,
}

/// The progress of each policy.
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

/// Why a policy currently cannot continue; `None` while it runs.
pub type Waiting = watch::Receiver<Option<String>>;

/// Creates missing checkpoints, then runs all policies until the supervisor is cancelled, while
/// this process holds the lease of read models; reports the health of each policy.
pub async fn start(
    services: &Services,
    supervisor: &Supervisor,
) -> Result<Vec<(&'static str, Waiting)>, PolicyError> {
    let mut client = services.views.client().await?;
    migrate(&mut client, "policy", MIGRATIONS).await?;
    client.execute(REGISTER, &[&NAMES.as_slice()]).await?;
    // The lease covers all policies.
    let holder = Uuid::now_v7();
    let checkpoints = Arc::new(Checkpoints::new(services.clone(), &NAMES, holder));
    let kept = checkpoints.clone();
    supervisor.run("checkpoints of the policies", move || {
        let checkpoints = kept.clone();
        async move { checkpoints.keep().await }
    });
    let start = |(policy, progress): (Policy, &Arc<PolicyProgress>)| {
        let (announce, waiting) = watch::channel(None);
        let (services, progress) = (services.clone(), progress.clone());
        let runner = Arc::new(Runner::new(services, policy, holder, progress, announce));
        supervisor.run(format!("policy {}", policy.name), move || {
            let runner = runner.clone();
            async move { runner.run().await }
        });
        (policy.name, waiting)
    };
    Ok(ALL.into_iter().zip(checkpoints.progress()).map(start).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_of_a_reaction_is_a_refusal_of_its_event_alone() {
        let panicked = caught(async { panic!("index 3 of 2") }).await;
        let refused = panicked.unwrap_err().refused().unwrap();
        assert_eq!(refused, Refused::new("policy.panicked", "index 3 of 2"));
    }

    #[test]
    fn every_attempt_has_a_command_of_its_own() {
        let event = Uuid::from_u128(7);
        let id = |attempt| command_id(event, NAMES[0], attempt);
        assert_eq!(id(1), Uuid::new_v5(&event, NAMES[0].as_bytes()), "as earlier builds made it");
        assert_ne!(id(1), id(2));
        assert_ne!(id(2), id(3));
        assert_eq!(id(2), id(2));
        assert_ne!(id(2), command_id(event, NAMES[1], 2));
    }
}
