//! What is asked of the writer, and what it answers.

use std::borrow::Cow;

use uuid::Uuid;

use crate::Position;

/// Who gave a command, and what it belongs to.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// Names the command; asking again under the same name is safe when it is remembered.
    pub command_id: Uuid,
    /// The digest of the request. `Some` stores the outcome under `command_id`: the same id again
    /// answers it, the same id with another digest is refused.
    pub remember: Option<[u8; 32]>,
    /// Who gave it, such as `key:…` or `policy:…`.
    pub actor: String,
    /// What all that one request set off shares.
    pub correlation_id: Uuid,
    /// The event to which a policy reacts.
    pub causation_id: Option<Uuid>,
}

/// Writes to streams, all or nothing.
#[derive(Debug, Clone)]
pub struct Append {
    /// Who and why.
    pub envelope: Envelope,
    /// What is written; each stream once.
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
    /// Whose history it is.
    pub company_id: Option<Uuid>,
    /// What happened, in order.
    pub events: Vec<NewEvent>,
}

/// An event that is not recorded yet.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// What happened, such as `offer.sent`.
    pub event_type: Cow<'static, str>,
    /// The schema version of the payload.
    pub schema_version: u16,
    /// JSON text, published exactly as it is.
    pub payload: String,
}

/// What a command answers: which thing, at which version, and from which position on it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The thing the command was about.
    pub stream_id: Uuid,
    /// Its version after the command.
    pub version: u64,
    /// A read model that has got here shows what the command did: that of its last event, or the
    /// end of the log where it had none, which tells nothing of when the thing last changed.
    pub position: Position,
}

/// What an append did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It was written now; the events took the positions up to `outcome.position`, and have these
    /// ids in order.
    Now {
        /// What to answer.
        outcome: Outcome,
        /// The ids of the events, in the order of the append.
        event_ids: Vec<Uuid>,
    },
    /// The same command was written before; nothing was written now.
    Before(Outcome),
}

impl Appended {
    /// What to answer.
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

    /// Whether it is more than one transaction should be.
    pub(crate) fn is_too_large(&self) -> bool {
        self.len() > Self::MAX_EVENTS
            || self.bytes() > Self::MAX_BYTES
            || self.payloads().any(|payload| payload.len() > Self::MAX_PAYLOAD)
    }

    /// How many events it writes.
    pub fn len(&self) -> usize {
        self.written().map(|write| write.events.len()).sum()
    }

    /// How large its payloads are together.
    pub(crate) fn bytes(&self) -> usize {
        self.payloads().map(str::len).sum()
    }

    pub(crate) fn payloads(&self) -> impl Iterator<Item = &str> {
        self.written().flat_map(|write| &write.events).map(|event| event.payload.as_str())
    }

    /// What is written. The writer looks at it through this alone, so that a test can count its
    /// looks: an append of many streams must not be looked through for each of them.
    pub(crate) fn written(&self) -> impl Iterator<Item = &StreamWrite> {
        self.writes.iter().inspect(|_| reads::count())
    }

    /// Whether it writes no events (it may still remember an outcome).
    pub fn is_empty(&self) -> bool {
        self.written().all(|write| write.events.is_empty())
    }
}

/// How often the writes of appends were looked at.
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

    /// The looks of this thread since the last time.
    #[cfg(test)]
    pub(crate) fn taken() -> u64 {
        READS.replace(0)
    }
}
