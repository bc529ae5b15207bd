//! The union of the events of all contexts: reading stored events, and the list of aggregates.

use crate::{
    billing, catalogue, fulfilment, inventory,
    kernel::{
        self, UnreadableEvent,
        events::{EventsOfAggregate, Stored, aggregate_of},
    },
    messaging, parties, pricing, sales,
};

macro_rules! history {
    ($($(#[$doc:meta])* $variant:ident($context:ident)),+ $(,)?) => {
        /// One event of any context; it serializes to the payload that the log stores.
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        #[serde(untagged)]
        pub enum Event {
            $($(#[$doc])* $variant($context::Event)),+
        }

        impl Event {
            /// Every event type with its current schema version.
            pub fn types() -> impl Iterator<Item = (&'static str, u16)> {
                std::iter::empty()$(.chain($context::Event::types()))+
            }

            /// Reads a stored event. A type or schema version that this build does not know is an
            /// error: the reader must stop rather than misread what a newer build wrote.
            pub fn read(
                event_type: &str,
                schema_version: u16,
                payload: &str,
            ) -> Result<Self, UnreadableEvent> {
                let aggregate = aggregate_of(event_type);
                let event = (event_type, schema_version, payload);
                $(if $context::Event::has(aggregate) {
                    return $context::Event::read(event).map(Self::$variant);
                })+
                Err(UnreadableEvent::unknown(event_type, schema_version))
            }
        }

        /// The events of every aggregate, with the name of its context.
        pub fn events_by_aggregate()
        -> impl Iterator<Item = (&'static str, &'static EventsOfAggregate)> {
            std::iter::empty()
                $(.chain($context::Event::BY_AGGREGATE.iter().map(|of| (stringify!($context), of))))+
        }

        /// The state of one aggregate by its stored events, as JSON for inspection.
        pub fn state_of<'a>(
            aggregate: &str,
            events: impl IntoIterator<Item = Stored<'a>>,
        ) -> Result<serde_json::Value, UnreadableEvent> {
            $(if $context::Event::has(aggregate) {
                return $context::Event::state_of(aggregate, events);
            })+
            Err(UnreadableEvent::unknown(aggregate, 0))
        }
    };
}

history! {
    /// Of the kernel: claims.
    Kernel(kernel),
    /// Of parties.
    Parties(parties),
    /// Of the catalogue.
    Catalogue(catalogue),
    /// Of pricing.
    Pricing(pricing),
    /// Of sales.
    Sales(sales),
    /// Of inventory.
    Inventory(inventory),
    /// Of fulfilment.
    Fulfilment(fulfilment),
    /// Of billing.
    Billing(billing),
    /// Of messaging.
    Messaging(messaging),
}

/// The type of every aggregate, such as `offer`.
pub fn aggregates() -> impl Iterator<Item = &'static str> {
    events_by_aggregate().map(|(_, of)| of.aggregate)
}

/// The context of an aggregate: `sales` of `offer`.
pub fn context_of(aggregate: &str) -> Option<&'static str> {
    events_by_aggregate().find(|(_, of)| of.aggregate == aggregate).map(|(context, _)| context)
}

/// Internal steps of one side. They are hidden from the credentials of a company, also in the
/// company's own history.
pub const INTERNAL: &[&str] = &[
    "goods_return.inspected",
    "negotiation.approval_requested",
    "negotiation.step_approved",
    "negotiation.step_escalated",
    "negotiation.approved",
    "negotiation.disapproved",
    "offer.drafted",
    "offer.approval_requested",
    "offer.step_approved",
    "offer.step_escalated",
    "offer.approved",
    "offer.disapproved",
];

/// Aggregates whose events before this one are hidden as well: a withdrawn draft would otherwise
/// reveal that the draft existed.
pub const DISCLOSED_BY: &[(&str, &str)] = &[("offer", "offer.sent")];

/// Whether some events of this aggregate are hidden from companies.
pub fn is_partly_hidden(aggregate: &str) -> bool {
    let of_aggregate =
        |name: &&str| name.split_once('.').is_some_and(|(kind, _)| kind == aggregate);
    INTERNAL.iter().any(of_aggregate)
}
