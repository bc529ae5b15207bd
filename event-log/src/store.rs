//! The log as a `cqrs_es::EventStore`.
//!
//! Three things that cqrs-es 0.5 leaves to its stores are settled here. `EventSink::write` has
//! already applied the events, so the aggregate in the context *is* the new state and nothing is
//! applied twice. A conflict is found by the log, not by luck. And `commit` returns where the
//! events stand, in the envelopes' metadata.

use std::{any::TypeId, collections::HashMap, marker::PhantomData};

use cqrs_es::{
    Aggregate, AggregateContext, AggregateError, DomainEvent, EventEnvelope, EventStore,
};
use domain::{OfCompany, upcaster};
use uuid::Uuid;

use crate::{
    Append, AppendError, Appended, Envelope, Error, EventLog, Loaded, NewEvent, Position,
    StreamWrite,
};

/// Event store of one kind of aggregate. Cheap to clone.
#[derive(Clone)]
pub struct Store<A> {
    log: EventLog,
    kind: PhantomData<fn() -> A>,
}

/// A loaded aggregate on its way to a commit.
pub struct Context<A> {
    id: Uuid,
    version: u64,
    aggregate: A,
    bytes: u64,
    snapshot: u64,
}

impl<A> AggregateContext<A> for Context<A>
where
    A: Aggregate,
{
    fn aggregate(&mut self) -> &mut A {
        &mut self.aggregate
    }
}

impl<A> Store<A> {
    pub(crate) fn new(log: EventLog) -> Self {
        Self { log, kind: PhantomData }
    }
}

impl<A> EventStore<A> for Store<A>
where
    A: Aggregate + OfCompany + Clone + 'static,
{
    type AC = Context<A>;

    async fn load_events(
        &self,
        aggregate_id: &str,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let id = stream_id(aggregate_id).map_err(failed)?;
        let mut envelopes = Vec::new();
        loop {
            let page = self
                .log
                .read_stream(id, envelopes.len() as u64, EventLog::PAGE)
                .await
                .map_err(failed)?;
            if page.is_empty() {
                return Ok(envelopes);
            }
            for event in page {
                let payload =
                    upcaster::read::<A>(&event.event_type, event.schema_version, &event.payload)
                        .map_err(|source| {
                            failed(Error::Unreadable {
                                stream_id: id,
                                version: event.version,
                                source,
                            })
                        })?;
                envelopes.push(EventEnvelope {
                    aggregate_id: aggregate_id.to_owned(),
                    sequence: envelopes.len() + 1,
                    payload,
                    metadata: metadata(event.position, event.event_id),
                });
            }
        }
    }

    async fn load_aggregate(
        &self,
        aggregate_id: &str,
    ) -> Result<Context<A>, AggregateError<A::Error>> {
        let id = stream_id(aggregate_id).map_err(failed)?;
        let loaded = self.log.load::<A>(id).await.map_err(failed)?;
        let Loaded { version, ref state, bytes, snapshot } = *loaded;
        Ok(Context { id, version, aggregate: state.clone(), bytes, snapshot })
    }

    async fn commit(
        &self,
        events: Vec<A::Event>,
        context: Context<A>,
        mut metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let Context { id, version, aggregate, bytes, snapshot } = context;
        let write = StreamWrite {
            stream_type: A::TYPE,
            stream_id: id,
            expected: version,
            company_id: aggregate.company().map(Uuid::from),
            events: events.iter().map(new_event).collect::<Result<_, _>>().map_err(failed)?,
        };
        let append = Append {
            envelope: envelope(&mut metadata),
            writes: vec![write],
            reads: Vec::new(),
            answer: (id, version),
        };
        let bytes = bytes + append.bytes() as u64;
        match self.log.append(append).await {
            Ok(Appended::Now { outcome, event_ids }) => {
                let version_now = outcome.version;
                self.log
                    .keep(id, Loaded { version: version_now, state: aggregate, bytes, snapshot });
                Ok(envelopes(id, version, outcome.position, events, &event_ids))
            }
            // Without a remembered outcome there is no "before".
            Ok(Appended::Before(_)) => Ok(Vec::new()),
            Err(AppendError::Conflict { .. }) => {
                self.log.cache().forget(TypeId::of::<A>(), id, version);
                Err(AggregateError::AggregateConflict)
            }
            Err(AppendError::Log(error)) => Err(failed(error)),
            Err(
                error @ (AppendError::KeyReused
                | AppendError::TooLarge
                | AppendError::BaseNotWritten),
            ) => Err(AggregateError::UnexpectedError(Box::new(error))),
        }
    }
}

/// An event as the log keeps it.
pub(crate) fn new_event<E: DomainEvent>(event: &E) -> Result<NewEvent, Error> {
    Ok(NewEvent {
        event_type: event.event_type().into(),
        schema_version: event.event_version().parse().unwrap_or(1),
        payload: serde_json::to_string(event).map_err(Error::Unwritable)?,
    })
}

fn stream_id(aggregate_id: &str) -> Result<Uuid, Error> {
    aggregate_id.parse().map_err(|_| Error::StreamId(aggregate_id.chars().take(80).collect()))
}

fn failed<E: std::error::Error>(error: Error) -> AggregateError<E> {
    match error {
        Error::Unavailable | Error::Database(_) => {
            AggregateError::DatabaseConnectionError(Box::new(error))
        }
        Error::Unreadable { .. } | Error::SnapshotUnreadable { .. } | Error::Unwritable(_) => {
            AggregateError::DeserializationError(Box::new(error))
        }
        Error::StreamId(_) | Error::Url(_) | Error::BehindStream(_) => {
            AggregateError::UnexpectedError(Box::new(error))
        }
    }
}

/// The envelope that cqrs-es metadata describes; what is missing is made up.
fn envelope(metadata: &mut HashMap<String, String>) -> Envelope {
    let id = |key| metadata.get(key).and_then(|value| value.parse().ok());
    let command_id = id("command_id").unwrap_or_else(Uuid::now_v7);
    let correlation_id = id("correlation_id").unwrap_or(command_id);
    let causation_id = id("causation_id");
    Envelope {
        command_id,
        remember: None,
        actor: metadata.remove("actor").unwrap_or_default(),
        correlation_id,
        causation_id,
    }
}

fn metadata(position: Position, event_id: Uuid) -> HashMap<String, String> {
    HashMap::from([
        ("position".to_owned(), position.to_string()),
        ("event_id".to_owned(), event_id.to_string()),
    ])
}

fn envelopes<A: Aggregate>(
    id: Uuid,
    version: u64,
    last: Position,
    events: Vec<A::Event>,
    event_ids: &[Uuid],
) -> Vec<EventEnvelope<A>> {
    let first = last.0 + 1 - events.len() as u64;
    let aggregate_id = id.to_string();
    (0..)
        .zip(events)
        .zip(event_ids)
        .map(|((index, payload), event_id)| EventEnvelope {
            aggregate_id: aggregate_id.clone(),
            sequence: usize::try_from(version + index + 1).unwrap_or(usize::MAX),
            payload,
            metadata: metadata(Position(first + index), *event_id),
        })
        .collect()
}
