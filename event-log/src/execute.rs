//! Command execution: decide, queue for the writer, wait for the commit; retry on concurrent
//! modification.
//!
//! A decision may read states that are queued but not durable yet (`pending`). Every answer, also a
//! refusal, waits for the commit of everything that it depends on.

use std::{collections::BTreeSet, convert::Infallible, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use metrics::counter;
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    AppendError, Appended, Envelope, Error, EventLog, ExecuteError, Outcome,
    pending::{Decided, HandOver, Pending, Place},
    turns::Ticket,
    work::{Ready, Work},
    writer::Writer,
};

/// The result of a command, executed now or before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed<T> {
    /// The answer.
    pub outcome: Outcome,
    /// What the decision returned; `None` when the command was executed before.
    pub value: Option<T>,
}

/// The place of a command among others at the same streams.
pub(crate) struct Queued {
    pub(crate) ticket: Ticket,
    /// Streams at which it lost to others, or whose queues it has joined.
    pub(crate) streams: BTreeSet<Uuid>,
    pub(crate) place: Option<Place>,
    /// The number of conflicts with other processes.
    pub(crate) lost: u32,
}

/// The decision of a command, and its place in the queues of contested streams.
pub(crate) struct Decision {
    pub(crate) decided: Decided,
    pub(crate) place: Option<Place>,
    /// Streams that it read before they were durable.
    pub(crate) built_on: Vec<Uuid>,
}

/// The result of queueing a decision.
pub(crate) enum HandedOver {
    /// It is durable.
    Written(Outcome),
    /// It had been executed before.
    Before(Outcome),
    /// The same command was in flight and has ended.
    Repeated,
    /// Concurrent modification: it was not written.
    Lost,
}

/// A command that is being executed: attempted until its decision is durable, or its refusal
/// holds. [`EventLog::execute`] goes through the attempts; what is compiled for each type of
/// decision is no more than that.
struct Execution<'e> {
    log: EventLog,
    envelope: &'e Envelope,
    queued: Queued,
    /// The number of failed attempts.
    attempts: u32,
    span: tracing::Span,
}

/// The next step of an execution.
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once")]
enum Next {
    /// It is decided in this unit of work.
    Decide(Work),
    /// It had been executed before.
    Before(Outcome),
}

/// The result of an attempt.
#[derive(Debug, Clone, Copy)]
enum Settled {
    /// The decision is durable.
    Written(Outcome),
    /// The command had been executed before.
    Before(Outcome),
    /// The refusal holds.
    Refused,
    /// Concurrent modification: the command must be decided again.
    Lost,
}

/// How a command is decided in a unit of work. It may be called several times.
pub trait Decide<T, E>: Send + Sync {
    /// Loads aggregates and decides on them.
    fn decide<'w>(&'w self, work: &'w mut Work) -> BoxFuture<'w, Result<T, E>>;
}

impl<T, E, F> Decide<T, E> for F
where
    F: for<'w> Fn(&'w mut Work) -> BoxFuture<'w, Result<T, E>> + Send + Sync,
{
    fn decide<'w>(&'w self, work: &'w mut Work) -> BoxFuture<'w, Result<T, E>> {
        self(work)
    }
}

impl EventLog {
    /// Executes a command: returns the stored outcome, or else lets `decide` load and decide on
    /// aggregates and appends all events at once. On concurrent modification it is decided again:
    /// commands of this process wait for their turn, in the order of arrival; conflicts with other
    /// processes are retried a bounded number of times.
    pub async fn execute<T, E, F>(
        &self,
        envelope: &Envelope,
        decide: F,
    ) -> Result<Executed<T>, ExecuteError<E>>
    where
        F: for<'w> Fn(&'w mut Work) -> BoxFuture<'w, Result<T, E>> + Send + Sync,
        T: Send,
        E: Send,
    {
        self.execute_in_turn(envelope, &[], decide).await
    }

    /// Like [`EventLog::execute`], for a command that is known to change these streams. Commands
    /// that name the same stream are decided in the order in which they are first polled.
    pub async fn execute_in_turn<T, E, F>(
        &self,
        envelope: &Envelope,
        streams: &[Uuid],
        decide: F,
    ) -> Result<Executed<T>, ExecuteError<E>>
    where
        F: for<'w> Fn(&'w mut Work) -> BoxFuture<'w, Result<T, E>> + Send + Sync,
        T: Send,
        E: Send,
    {
        self.execute_decision(envelope, streams, &decide).await
    }

    /// Like [`EventLog::execute_in_turn`], for a decision that is no closure.
    pub async fn execute_decision<T: Send, E: Send>(
        &self,
        envelope: &Envelope,
        streams: &[Uuid],
        decide: &impl Decide<T, E>,
    ) -> Result<Executed<T>, ExecuteError<E>> {
        let mut execution = self.begin(envelope, streams);
        let span = execution.span();
        let attempts = async {
            loop {
                let mut work = match execution.next().await.map_err(ExecuteError::widen)? {
                    Next::Decide(work) => work,
                    Next::Before(outcome) => return Ok(Executed { outcome, value: None }),
                };
                let value = decide.decide(&mut work).await;
                let settled = execution.settle(work, value.is_err()).await;
                match (settled.map_err(ExecuteError::widen)?, value) {
                    (Settled::Written(outcome), value) => {
                        return Ok(Executed { outcome, value: value.ok() });
                    }
                    (Settled::Before(outcome), _) => return Ok(Executed { outcome, value: None }),
                    (Settled::Refused, Err(refusal)) => return Err(ExecuteError::Refused(refusal)),
                    (Settled::Refused, Ok(_)) | (Settled::Lost, _) => {}
                }
            }
        };
        attempts.instrument(span).await
    }

    /// Begins to execute a command that is known to change these streams. Its rank is that of this
    /// call: before anything is waited for.
    fn begin<'e>(&self, envelope: &'e Envelope, streams: &[Uuid]) -> Execution<'e> {
        let span = tracing::info_span!(
            "execute",
            command = %envelope.command_id,
            correlation = %envelope.correlation_id,
            position = tracing::field::Empty,
        );
        let queued = Queued::new(self.pending(), streams);
        Execution { log: self.clone(), envelope, queued, attempts: 0, span }
    }

    /// The stored outcome of the command, if any.
    async fn executed_before(
        &self,
        envelope: &Envelope,
    ) -> Result<Option<Outcome>, ExecuteError<Infallible>> {
        let Some(digest) = envelope.remember else { return Ok(None) };
        match self.remembered(envelope.command_id).await? {
            None => Ok(None),
            Some((first, outcome)) if first == digest => Ok(Some(outcome)),
            Some(_) => Err(ExecuteError::KeyReused),
        }
    }

    /// Lets `decide` load and decide as [`EventLog::execute`] would, on facts that are current, and
    /// records nothing.
    pub async fn rehearse<T, E, F>(&self, decide: F) -> Result<T, ExecuteError<E>>
    where
        F: for<'w> Fn(&'w mut Work) -> BoxFuture<'w, Result<T, E>> + Send + Sync,
        T: Send,
        E: Send,
    {
        self.rehearse_decision(&decide).await
    }

    /// Like [`EventLog::rehearse`], for a decision that is no closure.
    pub async fn rehearse_decision<T: Send, E: Send>(
        &self,
        decide: &impl Decide<T, E>,
    ) -> Result<T, ExecuteError<E>> {
        for _ in 0..=self.retries() {
            let mut work = Work::new(self.clone(), None);
            let value = decide.decide(&mut work).await;
            if work.is_current().await? {
                let value = value.map_err(ExecuteError::Refused)?;
                return if work.exceeds_an_append() {
                    Err(ExecuteError::TooLarge)
                } else {
                    Ok(value)
                };
            }
            work.forget();
        }
        Err(ExecuteError::Conflict)
    }
}

impl Execution<'_> {
    /// The span of its attempts.
    fn span(&self) -> tracing::Span {
        self.span.clone()
    }

    /// The next unit of work; the stored outcome when the command was executed before, and an error
    /// after too many conflicts.
    async fn next(&mut self) -> Result<Next, ExecuteError<Infallible>> {
        if self.attempts == 0 {
            if let Some(outcome) = self.log.executed_before(self.envelope).await? {
                return Ok(Next::Before(outcome));
            }
            self.log.takes_commands()?;
        } else {
            counter!("kontor_command_retries_total").increment(1);
        }
        self.attempts += 1;
        if self.queued.lost > self.log.retries() {
            counter!("kontor_command_conflicts_total").increment(1);
            return Err(ExecuteError::Conflict);
        }
        self.queued.come(self.log.pending(), pause).await;
        let queued = Some((self.queued.ticket, self.queued.place.take()));
        Ok(Next::Decide(Work::new(self.log.clone(), queued)))
    }

    /// Writes a decision, or checks that a refusal is based on durable state.
    async fn settle(
        &mut self,
        work: Work,
        is_refused: bool,
    ) -> Result<Settled, ExecuteError<Infallible>> {
        if is_refused && !work.builds_on_pending() {
            // A refusal based on stale state is decided again.
            if self.queued.lost == 0 && !work.is_current().await? {
                work.forget();
                self.queued.lose(&BTreeSet::new());
                return Ok(Settled::Lost);
            }
            // Other commands need not wait for the commit.
            drop(work);
            return self.unless_executed(Settled::Refused).await;
        }
        let Ready { decision, snapshots } = if is_refused {
            work.ready_to_refuse(self.envelope)
        } else {
            work.ready(self.envelope)
        };
        self.log.takes_commands()?;
        let log = &self.log;
        match self.queued.hand_over(log.pending(), log.writer(), decision).await? {
            HandedOver::Written(_) if is_refused => self.unless_executed(Settled::Refused).await,
            HandedOver::Written(outcome) => {
                for snapshot in snapshots {
                    self.log.snapshots().store(snapshot);
                }
                self.span.record("position", outcome.position.0);
                Ok(Settled::Written(outcome))
            }
            HandedOver::Before(outcome) => {
                self.span.record("position", outcome.position.0);
                Ok(Settled::Before(outcome))
            }
            HandedOver::Repeated => self.unless_executed(Settled::Lost).await,
            HandedOver::Lost => Ok(Settled::Lost),
        }
    }

    /// The result of an attempt; the stored outcome if the same command was executed meanwhile.
    async fn unless_executed(&self, settled: Settled) -> Result<Settled, ExecuteError<Infallible>> {
        let before = self.log.executed_before(self.envelope).await?;
        Ok(before.map_or(settled, Settled::Before))
    }
}

impl Queued {
    pub(crate) fn new(pending: &Arc<Pending>, streams: &[Uuid]) -> Self {
        let ticket = pending.arrive();
        let streams: BTreeSet<Uuid> = streams.iter().copied().collect();
        let place = (!streams.is_empty()).then(|| pending.enter(ticket, streams.clone()));
        Self { ticket, streams, place, lost: 0 }
    }

    /// Waits for its turn at the streams that it lost.
    pub(crate) async fn come(&mut self, pending: &Arc<Pending>, pause: impl Fn(u32) -> Duration) {
        if self.lost > 1 {
            // Its turn is not enough: another process writes too.
            self.place = None;
            tokio::time::sleep(pause(self.lost)).await;
        }
        if self.place.is_none() && !self.streams.is_empty() {
            self.place = Some(pending.enter(self.ticket, self.streams.clone()));
        }
        if let Some(place) = &mut self.place {
            place.come().await;
        }
    }

    /// Queues a decision for the writer, and waits until it and everything that it depends on are
    /// durable, or a conflict is known.
    pub(crate) async fn hand_over<E>(
        &mut self,
        pending: &Arc<Pending>,
        writer: &Writer,
        decision: Decision,
    ) -> Result<HandedOver, ExecuteError<E>> {
        let Decision { decided, place, built_on } = decision;
        if decided.append.is_too_large() {
            return Err(ExecuteError::TooLarge);
        }
        let queue = writer.place().await?;
        let answer = match pending.hand_over(decided, self.ticket, queue) {
            HandOver::Queued(answer) => {
                self.streams.extend(place.iter().flat_map(Place::streams));
                // The next command depends on this one.
                drop(place);
                answer.await.map_err(|_| Error::Unavailable)?
            }
            HandOver::Overtaken(stream) => {
                self.overtaken(stream, place);
                return Ok(HandedOver::Lost);
            }
            HandOver::Repeated(first) => {
                drop(place);
                first.ended().await;
                return Ok(HandedOver::Repeated);
            }
        };
        match answer {
            Ok(Appended::Now { outcome, .. }) => Ok(HandedOver::Written(outcome)),
            Ok(Appended::Before(outcome)) => Ok(HandedOver::Before(outcome)),
            Err(AppendError::Conflict { stream_id }) => {
                self.lose(&BTreeSet::from([stream_id]));
                Ok(HandedOver::Lost)
            }
            // Not counted: what it depended on has lost, which happens a bounded number of times.
            Err(AppendError::BaseNotWritten) => {
                self.streams.extend(built_on);
                Ok(HandedOver::Lost)
            }
            Err(AppendError::KeyReused) => Err(ExecuteError::KeyReused),
            Err(AppendError::TooLarge) => Err(ExecuteError::TooLarge),
            Err(AppendError::Log(error)) => Err(error.into()),
        }
    }

    /// Another process has changed a stream.
    pub(crate) fn lose(&mut self, streams: &BTreeSet<Uuid>) {
        self.lost += 1;
        self.streams.extend(streams);
    }

    /// Another command of this process has changed a stream, or waits for it.
    fn overtaken(&mut self, stream: Uuid, place: Option<Place>) {
        self.streams.insert(stream);
        self.place = place;
        match &mut self.place {
            // Only a command without turns can have done it.
            Some(place) if place.streams().contains(&stream) => self.lost += 1,
            Some(place) => {
                place.widen(&self.streams);
                self.streams.extend(place.streams());
            }
            None => {}
        }
    }
}

/// Backoff that grows with every attempt, with jitter.
fn pause(attempt: u32) -> Duration {
    let most = 2_u64 << attempt.min(6);
    Duration::from_millis(rand::random_range(1..=most))
}
