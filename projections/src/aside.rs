//! What a read model leaves out, so that an event that cannot be applied does not stop it for
//! everybody: from that event on, all events of one key, as a rule of its stream.

use event_log::{Position, RecordedEvent};
use uuid::Uuid;

/// What a read model leaves out from a position on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// The key of the events that are left out; see [`crate::Projection::aside`].
    pub key: Uuid,
    /// The kind of aggregate of the event that could not be applied.
    pub stream_type: String,
    /// Its stream.
    pub stream_id: Uuid,
    /// Whose it is, where it belongs to a company.
    pub company: Option<Uuid>,
    /// The event that could not be applied; it and all later ones of the key are left out.
    pub position: Position,
    /// Why.
    pub reason: String,
}

impl SetAside {
    pub(crate) fn of(event: &RecordedEvent, key: Uuid, reason: String) -> Self {
        Self {
            key,
            stream_type: event.stream_type.clone(),
            stream_id: event.stream_id,
            company: event.company_id,
            position: event.position,
            reason,
        }
    }

    /// Whether somebody who sees one company, or all without one, may know of it.
    pub fn concerns(&self, company: Option<Uuid>) -> bool {
        company.is_none() || self.company.is_none() || self.company == company
    }
}

/// How much a read model leaves out at most. More is no damage of single streams any more, so it
/// stops.
pub const MOST: usize = 1_000;

/// For read models whose rows each come from one stream: the others stay right without it.
#[allow(clippy::unnecessary_wraps, reason = "it is a value of Projection::aside")]
pub(crate) fn stream(event: &RecordedEvent) -> Option<Uuid> {
    Some(event.stream_id)
}

/// For read models that add up streams of one company: its sums would be wrong, those of others stay
/// right. An event of no company stops it.
pub(crate) fn company(event: &RecordedEvent) -> Option<Uuid> {
    event.company_id
}

/// For read models whose rows decide together about what somebody else sees or pays: without one rule
/// others would be wrong and nobody could tell, so it stops.
pub(crate) fn nothing(_: &RecordedEvent) -> Option<Uuid> {
    None
}
