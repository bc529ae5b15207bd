//! Carrying out commands: decide, hand over to the writer, wait for the commit; again where others
//! were faster.
//!
//! A decision builds on what is queued but not durable yet (`pending`). What is answered, a refusal
//! too, has waited for the commit of all that it builds on.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use metrics::counter;
use uuid::Uuid;

use crate::{
    AppendError, Appended, Envelope, Error, EventLog, ExecuteError, Outcome,
    pending::{Decided, HandOver, Pending, Place},
    turns::Ticket,
    work::{Ready, Work},
    writer::Writer,
};

/// What a command did, or had done before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed<T> {
    /// What to answer.
    pub outcome: Outcome,
    /// What the decision returned; `None` when the command was executed before.
    pub value: Option<T>,
}

/// A command among others that want the same streams.
pub(crate) struct Standing {
    pub(crate) ticket: Ticket,
    /// Streams that it lost to others, or has entered the lines of.
    pub(crate) streams: BTreeSet<Uuid>,
    pub(crate) place: Option<Place>,
    /// How often it lost to another process.
    pub(crate) lost: u32,
}

/// What a command has decided, and its place in the lines of contested streams.
pub(crate) struct Decision {
    pub(crate) decided: Decided,
    pub(crate) place: Option<Place>,
    /// Streams of which it has seen states that were not durable.
    pub(crate) built_on: Vec<Uuid>,
}

/// What came of handing over a decision.
pub(crate) enum HandedOver {
    /// It is durable.
    Written(Outcome),
    /// It had been executed before.
    Before(Outcome),
    /// The same command was on its way, and is no longer.
    Repeated,
    /// Others were faster: it was not written.
    Lost,
}

impl EventLog {
    /// Executes a command: answers what it was answered before, or else lets `decide` load and
    /// decide on aggregates, and appends it all at once. When somebody else was faster, it is
    /// decided anew: commands of this process wait for their turn, in the order in which they came;
    /// other processes may be faster a bounded number of times.
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

    /// Executes a command as [`EventLog::execute`] does, of which it is known that it will change
    /// these streams. Those that name the same stream are decided in the order in which they are
    /// polled first.
    #[tracing::instrument(
        name = "execute",
        skip_all,
        fields(command = %envelope.command_id, correlation = %envelope.correlation_id, position)
    )]
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
        // Before anything is waited for: its rank is that of its arrival.
        let mut standing = Standing::new(self.pending(), streams);
        if let Some(executed) = self.executed_before(envelope).await? {
            return Ok(executed);
        }
        self.takes_commands()?;
        while standing.lost <= self.retries() {
            if let Some(executed) = self.attempt(envelope, &decide, &mut standing).await? {
                tracing::Span::current().record("position", executed.outcome.position.0);
                return Ok(executed);
            }
            counter!("kontor_command_retries_total").increment(1);
        }
        counter!("kontor_command_conflicts_total").increment(1);
        Err(ExecuteError::Conflict)
    }

    /// Decides once. `None` when others were faster.
    async fn attempt<T, E, F>(
        &self,
        envelope: &Envelope,
        decide: &F,
        standing: &mut Standing,
    ) -> Result<Option<Executed<T>>, ExecuteError<E>>
    where
        F: for<'w> Fn(&'w mut Work) -> BoxFuture<'w, Result<T, E>> + Send + Sync,
        T: Send,
        E: Send,
    {
        standing.come(self.pending(), pause).await;
        let mut work = Work::new(self.clone(), Some((standing.ticket, standing.place.take())));
        let value = decide(&mut work).await;
        if value.is_err() && !work.builds_on_pending() {
            // A refusal on stale facts is not the last word.
            if standing.lost == 0 && !work.is_current().await? {
                work.forget();
                standing.lose(&BTreeSet::new());
                return Ok(None);
            }
            // Others need not wait for an answer.
            drop(work);
            return self.unless_executed(envelope, value).await;
        }
        let Ready { decision, snapshots } = match &value {
            Ok(_) => work.ready(envelope),
            Err(_) => work.ready_to_refuse(envelope),
        };
        self.takes_commands()?;
        match standing.hand_over(self.pending(), self.writer(), decision).await {
            Ok(HandedOver::Written(outcome)) => {
                let value = match value {
                    Ok(value) => value,
                    refusal @ Err(_) => return self.unless_executed(envelope, refusal).await,
                };
                for snapshot in snapshots {
                    self.snapshots().store(snapshot);
                }
                Ok(Some(Executed { outcome, value: Some(value) }))
            }
            Ok(HandedOver::Before(outcome)) => Ok(Some(Executed { outcome, value: None })),
            Ok(HandedOver::Repeated) => self.executed_before(envelope).await,
            Ok(HandedOver::Lost) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the command was answered before, if it is remembered.
    async fn executed_before<T, E>(
        &self,
        envelope: &Envelope,
    ) -> Result<Option<Executed<T>>, ExecuteError<E>> {
        let Some(digest) = envelope.remember else { return Ok(None) };
        match self.remembered(envelope.command_id).await? {
            None => Ok(None),
            Some((first, outcome)) if first == digest => {
                Ok(Some(Executed { outcome, value: None }))
            }
            Some(_) => Err(ExecuteError::KeyReused),
        }
    }

    /// The refusal, unless the same command was executed meanwhile: then that is why.
    async fn unless_executed<T, E>(
        &self,
        envelope: &Envelope,
        refusal: Result<T, E>,
    ) -> Result<Option<Executed<T>>, ExecuteError<E>> {
        match (self.executed_before(envelope).await?, refusal) {
            (Some(executed), _) => Ok(Some(executed)),
            (None, Err(refusal)) => Err(ExecuteError::Refused(refusal)),
            (None, Ok(_)) => Ok(None),
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
        for _ in 0..=self.retries() {
            let mut work = Work::new(self.clone(), None);
            let value = decide(&mut work).await;
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

impl Standing {
    pub(crate) fn new(pending: &Arc<Pending>, streams: &[Uuid]) -> Self {
        let ticket = pending.arrive();
        let streams: BTreeSet<Uuid> = streams.iter().copied().collect();
        let place = (!streams.is_empty()).then(|| pending.enter(ticket, streams.clone()));
        Self { ticket, streams, place, lost: 0 }
    }

    /// Waits for its turn at the streams that it lost.
    pub(crate) async fn come(&mut self, pending: &Arc<Pending>, pause: impl Fn(u32) -> Duration) {
        if self.lost > 1 {
            // Its turn did not help: another process writes too.
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

    /// Hands a decision over to the writer, and waits until it and all that it builds on are
    /// durable, or until others are known to have been faster.
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
                // Whose turn is next builds on this.
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
            // Not counted: what it built on has lost, and loses a bounded number of times.
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

    /// Another command of this process has changed a stream, or waits to.
    fn overtaken(&mut self, stream: Uuid, place: Option<Place>) {
        self.streams.insert(stream);
        self.place = place;
        match &mut self.place {
            // Only who takes no turns can have done it.
            Some(place) if place.streams().contains(&stream) => self.lost += 1,
            Some(place) => {
                place.widen(&self.streams);
                self.streams.extend(place.streams());
            }
            None => {}
        }
    }
}

/// Grows with every attempt and differs between those who collide.
fn pause(attempt: u32) -> Duration {
    let most = 2_u64 << attempt.min(6);
    Duration::from_millis(rand::random_range(1..=most))
}
