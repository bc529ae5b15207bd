//! A unit of work: load, decide, append, as often as it takes.
//!
//! What a decision has read is asserted when it is written, so a decision never stands on facts
//! that were no longer true.

use std::{any::Any, collections::HashMap, time::Duration};

use cqrs_es::{Aggregate, event_sink::EventSink};
use domain::OfCompany;
use futures::future::BoxFuture;
use metrics::counter;
use uuid::Uuid;

pub use crate::cache::Loaded;
use crate::{
    Append, AppendError, Appended, Envelope, Error, EventLog, ExecuteError, NewEvent, Outcome,
    StreamWrite, store::new_event,
};

/// What a command did, or had done before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed<T> {
    /// What to answer.
    pub outcome: Outcome,
    /// What the decision returned; `None` when the command was executed before.
    pub value: Option<T>,
}

/// What one command has read and decided so far.
pub struct Work {
    log: EventLog,
    streams: HashMap<Uuid, Entry>,
    /// Streams in the order in which they were first decided upon.
    decided: Vec<Uuid>,
    answer: Option<Uuid>,
}

/// An aggregate in a unit of work.
struct Entry {
    stream_type: &'static str,
    /// What it was when it was read.
    version: u64,
    company_id: Option<Uuid>,
    state: Box<dyn Any + Send + Sync>,
    events: Vec<NewEvent>,
    /// Puts the new state into memory once it is written.
    keep: fn(&EventLog, Uuid, u64, Box<dyn Any + Send + Sync>),
}

impl EventLog {
    /// Executes a command: answers what it was answered before, or else lets `decide` load and
    /// decide on aggregates, and appends it all at once. When somebody else was faster, it is
    /// decided anew on fresh facts, a bounded number of times.
    #[tracing::instrument(
        skip_all,
        fields(command = %envelope.command_id, correlation = %envelope.correlation_id, position)
    )]
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
        if let Some(digest) = envelope.remember
            && let Some((first_digest, outcome)) = self.outcome(envelope.command_id).await?
        {
            return if first_digest == digest {
                Ok(Executed { outcome, value: None })
            } else {
                Err(ExecuteError::KeyReused)
            };
        }
        for attempt in 0..=self.retries() {
            if attempt > 0 {
                counter!("kontor_command_retries_total").increment(1);
                tokio::time::sleep(pause(attempt)).await;
            }
            let mut work = Work::new(self.clone());
            let value = decide(&mut work).await;
            // A refusal on stale facts is not the last word.
            let value = match value {
                Ok(value) => value,
                Err(refusal) if attempt == 0 && work.has_remembered_states() => {
                    if work.is_current().await? {
                        return Err(ExecuteError::Refused(refusal));
                    }
                    work.forget();
                    continue;
                }
                Err(refusal) => return Err(ExecuteError::Refused(refusal)),
            };
            match self.append(work.append(envelope)).await {
                Ok(Appended::Now { outcome, .. }) => {
                    tracing::Span::current().record("position", outcome.position.0);
                    work.keep();
                    return Ok(Executed { outcome, value: Some(value) });
                }
                Ok(Appended::Before(outcome)) => return Ok(Executed { outcome, value: None }),
                Err(AppendError::Conflict { .. }) => work.forget(),
                Err(AppendError::KeyReused) => return Err(ExecuteError::KeyReused),
                Err(AppendError::TooLarge) => return Err(ExecuteError::TooLarge),
                Err(AppendError::Log(error)) => return Err(error.into()),
            }
        }
        counter!("kontor_command_conflicts_total").increment(1);
        Err(ExecuteError::Conflict)
    }
}

impl Work {
    fn new(log: EventLog) -> Self {
        Self { log, streams: HashMap::new(), decided: Vec::new(), answer: None }
    }

    /// Reads an aggregate; its version will be asserted.
    pub async fn load<A: Aggregate + OfCompany + Clone + 'static>(
        &mut self,
        id: impl Into<Uuid>,
    ) -> Result<&A, Error> {
        let id = id.into();
        if !self.streams.contains_key(&id) {
            let loaded = self.log.load::<A>(id).await?;
            self.streams.insert(id, Entry::of(&loaded));
        }
        Ok(self.state(id))
    }

    /// Reads many aggregates of one kind with at most one query; then [`Work::get`] has them.
    pub async fn load_many<A: Aggregate + OfCompany + Clone + 'static>(
        &mut self,
        ids: impl IntoIterator<Item = Uuid>,
    ) -> Result<(), Error> {
        let mut ids: Vec<Uuid> =
            ids.into_iter().filter(|id| !self.streams.contains_key(id)).collect();
        ids.sort_unstable();
        ids.dedup();
        for (id, loaded) in self.log.load_many::<A>(&ids).await? {
            self.streams.insert(id, Entry::of(&loaded));
        }
        Ok(())
    }

    /// An aggregate that was loaded, with what was decided since.
    pub fn get<A: Aggregate + 'static>(&self, id: impl Into<Uuid>) -> Option<&A> {
        self.streams.get(&id.into())?.state.downcast_ref()
    }

    /// Lets an aggregate decide on a command; what it says is written at the end.
    pub async fn decide<A: Aggregate<Services = ()> + OfCompany + Clone + 'static>(
        &mut self,
        id: impl Into<Uuid>,
        command: A::Command,
    ) -> Result<(), Decision<A::Error>>
    where
        A::Command: Send,
        A::Error: Send,
    {
        let id = id.into();
        self.load::<A>(id).await?;
        if !self.decided.contains(&id) {
            self.decided.push(id);
        }
        let entry = self.streams.get_mut(&id).expect("it was loaded just now");
        let state: &mut A = entry.state.downcast_mut().expect(SAME_KIND);
        let sink = EventSink::default();
        state.handle(command, &(), &sink).await.map_err(Decision::Refused)?;
        entry.company_id = state.company().map(Uuid::from);
        for event in sink.collect().await {
            entry.events.push(new_event(&event)?);
        }
        Ok(())
    }

    /// Says which aggregate the outcome names; without it, the first that was decided upon.
    pub fn answer(&mut self, id: impl Into<Uuid>) {
        self.answer = Some(id.into());
    }

    fn state<A: Aggregate + 'static>(&self, id: Uuid) -> &A {
        self.streams[&id].state.downcast_ref().expect(SAME_KIND)
    }

    fn append(&self, envelope: &Envelope) -> Append {
        let mut writes = Vec::with_capacity(self.decided.len());
        let mut reads = Vec::new();
        for (&id, entry) in &self.streams {
            if entry.events.is_empty() {
                reads.push((id, entry.version));
            }
        }
        for &id in &self.decided {
            let entry = &self.streams[&id];
            if !entry.events.is_empty() {
                writes.push(StreamWrite {
                    stream_type: entry.stream_type,
                    stream_id: id,
                    expected: entry.version,
                    company_id: entry.company_id,
                    events: entry.events.clone(),
                });
            }
        }
        let answer = self.answer.or(self.decided.first().copied()).unwrap_or_default();
        let version = self.streams.get(&answer).map_or(0, |entry| entry.version);
        Append { envelope: envelope.clone(), writes, reads, answer: (answer, version) }
    }

    fn keep(self) {
        for (id, entry) in self.streams {
            if !entry.events.is_empty() {
                let version = entry.version + entry.events.len() as u64;
                (entry.keep)(&self.log, id, version, entry.state);
            }
        }
    }

    fn forget(&self) {
        for id in self.streams.keys() {
            self.log.cache().forget(*id);
        }
    }

    fn has_remembered_states(&self) -> bool {
        !self.streams.is_empty()
    }

    /// Whether all that was read is still so.
    async fn is_current(&self) -> Result<bool, Error> {
        let seen: Vec<(Uuid, u64)> =
            self.streams.iter().map(|(id, entry)| (*id, entry.version)).collect();
        self.log.are_current(&seen).await
    }
}

const SAME_KIND: &str = "a stream's id belongs to one kind of aggregate";

impl Entry {
    fn of<A: Aggregate + OfCompany + Clone + 'static>(loaded: &Loaded<A>) -> Self {
        Self {
            stream_type: A::TYPE,
            version: loaded.version,
            company_id: loaded.state.company().map(Uuid::from),
            state: Box::new(loaded.state.clone()),
            events: Vec::new(),
            keep: |log, id, version, state| {
                if let Ok(state) = state.downcast::<A>() {
                    log.cache().put(id, version, *state);
                }
            },
        }
    }
}

/// What came of asking an aggregate.
#[derive(Debug, thiserror::Error)]
pub enum Decision<E> {
    /// It said no.
    #[error(transparent)]
    Refused(E),
    /// It could not be asked.
    #[error(transparent)]
    Log(#[from] Error),
}

/// Grows with every attempt and differs between those who collide.
fn pause(attempt: u32) -> Duration {
    let most = 2_u64 << attempt.min(6);
    Duration::from_millis(rand::random_range(1..=most))
}
