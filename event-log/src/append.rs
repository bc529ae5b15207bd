//! The request to the writer, and its answer.

use std::borrow::Cow;

use uuid::Uuid;

use crate::Position;

/// The metadata of a command: actor, correlation and causation.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The id of the command; a repeat with the same id is safe if its outcome is stored.
    pub command_id: Uuid,
    /// The digest of the request. `Some` stores the outcome under `command_id`: the same id again
    /// answers it, the same id with another digest is refused.
    pub remember: Option<[u8; 32]>,
    /// The actor, such as `key:…` or `policy:…`.
    pub actor: String,
    /// The id that everything caused by one request shares.
    pub correlation_id: Uuid,
    /// The event that caused it, for a policy.
    pub causation_id: Option<Uuid>,
}

/// Writes to streams, all or nothing.
#[derive(Debug, Clone)]
pub struct Append {
    /// The metadata.
    pub envelope: Envelope,
    /// The writes; each stream once.
    pub writes: Vec<StreamWrite>,
    /// Streams that the decision read, with the versions it saw; they must still hold.
    pub reads: Vec<(Uuid, u64)>,
    /// The stream that the outcome names, with its version should nothing be written to it.
    pub answer: (Uuid, u64),
}

/// Events for one stream.
#[derive(Debug, Clone)]
pub struct StreamWrite {
    /// The aggregate's kind.
    pub stream_type: &'static str,
    /// The aggregate's id.
    pub stream_id: Uuid,
    /// The version the decision saw; 0 when the stream did not exist.
    pub expected: u64,
    /// The company that the stream belongs to, if any.
    pub company_id: Option<Uuid>,
    /// The events, in order.
    pub events: Vec<NewEvent>,
}

/// An event that is not recorded yet.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The event type, such as `offer.sent`.
    pub event_type: Cow<'static, str>,
    /// The schema version of the payload.
    pub schema_version: u16,
    /// JSON text, published exactly as it is.
    pub payload: String,
}

/// The outcome of a command: the aggregate, its version and position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The aggregate.
    pub stream_id: Uuid,
    /// Its version after the command.
    pub version: u64,
    /// A read model that has got here shows what the command did: that of its last event, or the
    /// end of the log where it had none, which tells nothing of when the thing last changed.
    pub position: Position,
}

/// The result of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It was written now; the events took the positions up to `outcome.position`, and have these
    /// ids in order.
    Now {
        /// The outcome.
        outcome: Outcome,
        /// The ids of the events, in the order of the append.
        event_ids: Vec<Uuid>,
    },
    /// The same command was written before; nothing was written now.
    Before(Outcome),
}

impl Appended {
    /// The outcome.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Now { outcome, .. } | Self::Before(outcome) => *outcome,
        }
    }
}

impl Append {
    /// The largest payload of one event, in bytes: half of what the private NATS takes, and more
    /// than a document of the most and longest lines needs. Another NATS must be set to take it.
    pub const MAX_PAYLOAD: usize = 4 << 20;
    /// The largest sum of an append's payloads, in bytes: the whole append is one transaction.
    pub const MAX_BYTES: usize = 64 << 20;
    /// The most events of one append. Commands stay far below; other commands wait for it.
    pub const MAX_EVENTS: usize = 250_000;

    /// Whether it exceeds the limits of one append.
    pub(crate) fn is_too_large(&self) -> bool {
        self.len() > Self::MAX_EVENTS
            || self.bytes() > Self::MAX_BYTES
            || self.payloads().any(|payload| payload.len() > Self::MAX_PAYLOAD)
    }

    /// The number of its events.
    pub fn len(&self) -> usize {
        self.written().map(|write| write.events.len()).sum()
    }

    /// The sum of the sizes of its payloads.
    pub(crate) fn bytes(&self) -> usize {
        self.payloads().map(str::len).sum()
    }

    pub(crate) fn payloads(&self) -> impl Iterator<Item = &str> {
        self.written().flat_map(|write| &write.events).map(|event| event.payload.as_str())
    }

    /// The writes. The writer reads them only through this method, so that a test can count the
    /// reads: an append of many streams must not be scanned for each of them.
    pub(crate) fn written(&self) -> impl Iterator<Item = &StreamWrite> {
        self.writes.iter().inspect(|_| reads::count())
    }

    /// Whether it writes no events (it may still store an outcome).
    pub fn is_empty(&self) -> bool {
        self.written().all(|write| write.events.is_empty())
    }
}

/// Counts reads of the writes of appends.
pub(crate) mod reads {
    #[cfg(test)]
    thread_local! {
        static READS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
    }

    #[cfg(not(test))]
    pub(super) fn count() {}

    #[cfg(test)]
    pub(super) fn count() {
        READS.set(READS.get() + 1);
    }

    /// The reads of this thread since the last call.
    #[cfg(test)]
    pub(crate) fn taken() -> u64 {
        READS.replace(0)
    }
}
