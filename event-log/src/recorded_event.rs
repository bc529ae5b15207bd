//! An event as it stands in history.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A place in the whole history: gapless from 1, in commit order; 0 is before the first event.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    /// Before the first event.
    pub const START: Self = Self(0);

    /// As PostgreSQL stores it.
    pub(crate) fn as_i64(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// From PostgreSQL, where a check keeps it from being negative.
    pub(crate) fn from_i64(position: i64) -> Self {
        Self(position.unsigned_abs())
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An event with all that was recorded about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordedEvent {
    /// Its place in the whole history.
    pub position: Position,
    /// Its name outside the log.
    pub event_id: Uuid,
    /// The aggregate's kind.
    pub stream_type: String,
    /// The aggregate's id.
    pub stream_id: Uuid,
    /// Its place in the stream, counted from 1.
    pub version: u64,
    /// What happened, such as `offer.sent`.
    pub event_type: String,
    /// The schema version of the payload.
    pub schema_version: u16,
    /// Whose history this is.
    pub company_id: Option<Uuid>,
    /// Who gave the command.
    pub actor: String,
    /// The command that did it.
    pub command_id: Uuid,
    /// What all that one request set off shares.
    pub correlation_id: Uuid,
    /// The event to which a policy reacted.
    pub causation_id: Option<Uuid>,
    /// The writer's clock.
    pub recorded_at: Timestamp,
    /// Exactly the JSON text that is published.
    pub payload: String,
}

impl RecordedEvent {
    /// The event in the domain's words; an error when this build does not know it.
    pub fn event(&self) -> Result<domain::Event, domain::UnreadableEvent> {
        domain::Event::read(&self.event_type, self.schema_version, &self.payload)
    }
}
