//! What all aggregates share: pure `decide` and `evolve`, wrapped once as `cqrs_es::Aggregate`.

use serde_json::Value;

use crate::kernel::CompanyId;

/// An aggregate that may belong to one company; the log stamps its events with it, and the stream
/// puts it into the subject, so that a reader of one company never sees another's history.
pub trait OfCompany {
    /// The company whose history this is, as of the state's last event; `None` for what belongs
    /// to the seller alone.
    fn company(&self) -> Option<CompanyId>;

    /// What a snapshot must have been taken by to be believed: the rules that say what events add
    /// up to. After any change of them the events are asked again.
    const SNAPSHOT: u64 = RULES;

    /// Carry the older versions of its events forward.
    const UPCASTERS: &'static [Upcaster] = &[];
}

/// One step: from a version of an event type to the next.
#[derive(Debug, Clone, Copy)]
pub struct Upcaster {
    /// Of which event type, such as `offer.sent`.
    pub event_type: &'static str,
    /// From which version; the step leads to the next one.
    pub from: u16,
    /// What the next version would have stored.
    pub upcast: fn(Value) -> Value,
}

/// A digest of this crate's sources; `build.rs` makes it.
pub const RULES: u64 =
    match u64::from_str_radix(include_str!(concat!(env!("OUT_DIR"), "/fingerprint")), 10) {
        Ok(digest) => digest,
        Err(_) => panic!("build.rs writes a number"),
    };

/// Makes a type with `decide(&self, Command) -> Result<Vec<Event>, Error>` and
/// `evolve(self, Event) -> Self` a `cqrs_es::Aggregate`, and names its events.
///
/// `aggregate!(Offer, "offer", { Sent => "sent", … })`: the list is exhaustive, so a new event
/// fails to compile until it has a name and a schema version.
macro_rules! aggregate {
    ($state:ident, $kind:literal, { $($variant:ident => $name:literal v $version:literal),+ $(,)? }) => {
        impl cqrs_es::Aggregate for $state {
            const TYPE: &'static str = $kind;
            type Command = Command;
            type Event = Event;
            type Error = Error;
            type Services = ();

            async fn handle(
                &mut self,
                command: Command,
                (): &(),
                sink: &cqrs_es::event_sink::EventSink<Self>,
            ) -> Result<(), Error> {
                for event in self.decide(command)? {
                    sink.write(event, self).await;
                }
                Ok(())
            }

            fn apply(&mut self, event: Event) {
                *self = std::mem::take(self).evolve(event);
            }
        }

        impl Event {
            /// Every event type of this aggregate with its current schema version.
            pub const TYPES: &'static [(&'static str, u16)] =
                &[$((concat!($kind, ".", $name), $version)),+];

            /// The stored name, such as `offer.sent`, and its current schema version.
            pub const fn type_and_version(&self) -> (&'static str, u16) {
                match self {
                    $(Self::$variant { .. } => (concat!($kind, ".", $name), $version)),+
                }
            }
        }

        impl cqrs_es::DomainEvent for Event {
            fn event_type(&self) -> String {
                self.type_and_version().0.to_owned()
            }

            fn event_version(&self) -> String {
                self.type_and_version().1.to_string()
            }
        }
    };
}

pub(crate) use aggregate;
