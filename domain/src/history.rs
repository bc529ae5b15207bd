//! All that can happen: the sum of every context's events, as history is read back.

use crate::{
    billing, catalogue, fulfilment, inventory,
    kernel::{
        self, UnreadableEvent,
        events::{Stored, aggregate_of},
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
                $(if $context::Event::AGGREGATES.contains(&aggregate) {
                    return $context::Event::read(event).map(Self::$variant);
                })+
                Err(UnreadableEvent::unknown(event_type, schema_version))
            }
        }

        /// Every kind of aggregate.
        pub fn aggregates() -> impl Iterator<Item = &'static str> {
            std::iter::empty()$(.chain($context::Event::AGGREGATES.iter().copied()))+
        }

        /// The state of one aggregate by its stored events, as JSON for inspection.
        pub fn state_of<'a>(
            aggregate: &str,
            events: impl IntoIterator<Item = Stored<'a>>,
        ) -> Result<serde_json::Value, UnreadableEvent> {
            $(if $context::Event::AGGREGATES.contains(&aggregate) {
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

/// What one side deliberates by itself: of these a company's credential sees nothing, not even in
/// its own history.
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

/// Kinds of aggregate of which it sees nothing before this event either: that a draft was withdrawn
/// tells that there was one.
pub const DISCLOSED_BY: &[(&str, &str)] = &[("offer", "offer.sent")];

/// Whether a company sees of such an aggregate no more than a part of what happened.
pub fn is_partly_hidden(aggregate: &str) -> bool {
    let of_aggregate =
        |name: &&str| name.split_once('.').is_some_and(|(kind, _)| kind == aggregate);
    INTERNAL.iter().any(of_aggregate)
}
