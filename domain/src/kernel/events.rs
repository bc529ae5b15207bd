//! The events of one context: a sum of the events of its aggregates, made by one macro.

use cqrs_es::Aggregate;

use crate::kernel::{OfCompany, characters, upcaster};

/// An event as it is stored: its type, schema version and payload.
pub type Stored<'a> = (&'a str, u16, &'a str);

/// A stored event that this build cannot read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableEvent {
    /// A type or schema version of another, presumably newer, build.
    #[error("event type {event_type} version {schema_version} is not known to this build")]
    Unknown {
        /// The stored type.
        event_type: String,
        /// The stored schema version.
        schema_version: u16,
    },
    /// The payload does not fit its type.
    #[error("the payload of an event of type {event_type} is malformed")]
    Malformed {
        /// The stored type.
        event_type: String,
        /// What did not fit.
        source: serde_json::Error,
    },
}

impl UnreadableEvent {
    pub(crate) fn unknown(event_type: &str, schema_version: u16) -> Self {
        Self::Unknown { event_type: event_type.to_owned(), schema_version }
    }

    fn malformed(event_type: &str, source: serde_json::Error) -> Self {
        Self::Malformed { event_type: event_type.to_owned(), source }
    }
}

/// `events! { /// Of an offer. Offer(offer), … }`: the enum `Event` of a context, with the aggregates
/// of this context and their modules.
macro_rules! events {
    ($($(#[$doc:meta])* $state:ident($module:ident)),+ $(,)?) => {
        /// One event of any aggregate of this context; it serializes to the payload that the log
        /// stores.
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        #[serde(untagged)]
        pub enum Event {
            $($(#[$doc])* $state($module::Event)),+
        }

        impl Event {
            /// Every kind of aggregate of this context.
            pub(crate) const AGGREGATES: &'static [&'static str] =
                &[$(<$state as cqrs_es::Aggregate>::TYPE),+];

            /// Every event type of this context with its current schema version.
            pub(crate) fn types() -> impl Iterator<Item = (&'static str, u16)> {
                [$($module::Event::TYPES),+].into_iter().flatten().copied()
            }

            /// Reads a stored event of this context. A type or schema version that this build does
            /// not know is an error.
            pub(crate) fn read(
                event: $crate::kernel::events::Stored<'_>,
            ) -> Result<Self, $crate::kernel::UnreadableEvent> {
                let (event_type, schema_version, _) = event;
                match $crate::kernel::events::aggregate_of(event_type) {
                    $(<$state as cqrs_es::Aggregate>::TYPE => {
                        $crate::kernel::events::read::<$state>($module::Event::TYPES, event)
                            .map(Self::$state)
                    })+
                    _ => Err($crate::kernel::UnreadableEvent::unknown(event_type, schema_version)),
                }
            }

            /// The state that stored events of one aggregate of this context add up to.
            pub(crate) fn state_of<'a>(
                aggregate: &str,
                events: impl IntoIterator<Item = $crate::kernel::events::Stored<'a>>,
            ) -> Result<serde_json::Value, $crate::kernel::UnreadableEvent> {
                match aggregate {
                    $(<$state as cqrs_es::Aggregate>::TYPE => {
                        $crate::kernel::events::state_of::<$state>($module::Event::TYPES, events)
                    })+
                    _ => Err($crate::kernel::UnreadableEvent::unknown(aggregate, 0)),
                }
            }
        }
    };
}

pub(crate) use events;

/// The kind of aggregate of an event type: `offer` of `offer.sent`.
pub(crate) fn aggregate_of(event_type: &str) -> &str {
    event_type.split_once('.').map_or("", |(aggregate, _)| aggregate)
}

/// Reads a stored event of one kind of aggregate, which has these event types. A type or schema
/// version that this build does not know is an error: the reader must stop rather than misread what
/// a newer build wrote.
pub(crate) fn read<A: Aggregate + OfCompany>(
    types: &[(&str, u16)],
    (event_type, schema_version, payload): Stored<'_>,
) -> Result<A::Event, UnreadableEvent> {
    let malformed = |source| UnreadableEvent::malformed(event_type, source);
    let (version, payload) =
        upcaster::carried(A::UPCASTERS, event_type, schema_version, payload).map_err(malformed)?;
    if types.contains(&(event_type, version)) {
        characters::stored(|| serde_json::from_str(&payload)).map_err(malformed)
    } else {
        Err(UnreadableEvent::unknown(event_type, schema_version))
    }
}

/// The state that stored events of one aggregate add up to, as JSON.
pub(crate) fn state_of<'a, A: Aggregate + OfCompany>(
    types: &[(&str, u16)],
    events: impl IntoIterator<Item = Stored<'a>>,
) -> Result<serde_json::Value, UnreadableEvent> {
    let mut state = A::default();
    for event in events {
        state.apply(read::<A>(types, event)?);
    }
    serde_json::to_value(&state).map_err(|source| UnreadableEvent::malformed(A::TYPE, source))
}
