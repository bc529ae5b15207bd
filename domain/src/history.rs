//! All that can happen: the sum of every aggregate's events, as history is read back.

use cqrs_es::Aggregate;

use crate::{
    billing::{Invoice, Payment, Series, invoice, payment, series},
    catalogue::{
        Assortment, Category, Product, ProductCode, Tree, assortment, category, product,
        product_code, tree,
    },
    fulfilment::{Shipment, shipment},
    inventory::{Stock, stock},
    kernel::{Claim, OfCompany, characters, claim, upcaster},
    messaging::{Conversation, conversation},
    parties::{Company, Employee, Territories, company, employee, territories},
    pricing::{
        Discount, Price, PriceAgreement, Purchases, discount, price, price_agreement, purchases,
    },
    sales::{
        ApprovalRules, Negotiation, Offer, OfferTemplate, Order, QuotationRequest, Spending,
        approval_rules, negotiation, offer, offer_template, order, quotation_request, spending,
    },
};

macro_rules! history {
    ($($(#[$doc:meta])* $variant:ident($state:ident, $module:ident)),+ $(,)?) => {
        /// One event of any aggregate; it serializes to the payload that the log stores.
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        #[serde(untagged)]
        pub enum Event {
            $($(#[$doc])* $variant($module::Event)),+
        }

        impl Event {
            /// Every event type with its current schema version.
            pub fn types() -> impl Iterator<Item = (&'static str, u16)> {
                [$($module::Event::TYPES),+].into_iter().flatten().copied()
            }

            /// Reads a stored event. A type or schema version that this build does not know is an
            /// error: the reader must stop rather than misread what a newer build wrote.
            pub fn read(
                event_type: &str,
                schema_version: u16,
                payload: &str,
            ) -> Result<Self, UnreadableEvent> {
                let unknown = || UnreadableEvent::unknown(event_type, schema_version);
                let malformed = |source| UnreadableEvent::Malformed {
                    event_type: event_type.to_owned(),
                    source,
                };
                match event_type.split_once('.').map(|(aggregate, _)| aggregate) {
                    $(Some(<$state as Aggregate>::TYPE) => {
                        let steps = $state::UPCASTERS;
                        let (version, payload) =
                            upcaster::carried(steps, event_type, schema_version, payload)
                                .map_err(malformed)?;
                        if $module::Event::TYPES.contains(&(event_type, version)) {
                            characters::stored(|| serde_json::from_str(&payload))
                                .map(Self::$variant)
                                .map_err(malformed)
                        } else {
                            Err(unknown())
                        }
                    })+
                    _ => Err(unknown()),
                }
            }
        }

        /// Every kind of aggregate.
        pub const AGGREGATES: &[&str] = &[$(<$state as Aggregate>::TYPE),+];

        /// The state that stored events of one aggregate add up to, for people to look at. Each
        /// event is its type, schema version and payload.
        pub fn state_of<'a>(
            aggregate: &str,
            events: impl IntoIterator<Item = (&'a str, u16, &'a str)>,
        ) -> Result<serde_json::Value, UnreadableEvent> {
            match aggregate {
                $(<$state as Aggregate>::TYPE => {
                    let mut state = $state::default();
                    for (event_type, version, payload) in events {
                        match Event::read(event_type, version, payload)? {
                            Event::$variant(event) => state.apply(event),
                            _ => return Err(UnreadableEvent::unknown(event_type, version)),
                        }
                    }
                    serde_json::to_value(&state).map_err(|source| UnreadableEvent::Malformed {
                        event_type: aggregate.to_owned(),
                        source,
                    })
                })+
                _ => Err(UnreadableEvent::unknown(aggregate, 0)),
            }
        }
    };
}

/// What one side deliberates by itself: of these a company's credential sees nothing, not even in
/// its own history.
pub const INTERNAL: &[&str] = &[
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

impl UnreadableEvent {
    fn unknown(event_type: &str, schema_version: u16) -> Self {
        Self::Unknown { event_type: event_type.to_owned(), schema_version }
    }
}

history! {
    /// Of approval rules.
    ApprovalRules(ApprovalRules, approval_rules),
    /// Of an assortment.
    Assortment(Assortment, assortment),
    /// Of a category.
    Category(Category, category),
    /// Of a claim.
    Claim(Claim, claim),
    /// Of a company.
    Company(Company, company),
    /// Of what is said about something.
    Conversation(Conversation, conversation),
    /// Of a discount programme.
    Discount(Discount, discount),
    /// Of an employee.
    Employee(Employee, employee),
    /// Of an invoice or a credit note.
    Invoice(Invoice, invoice),
    /// Of a negotiation.
    Negotiation(Negotiation, negotiation),
    /// Of an offer.
    Offer(Offer, offer),
    /// Of a template for offers.
    OfferTemplate(OfferTemplate, offer_template),
    /// Of an order.
    Order(Order, order),
    /// Of a payment.
    Payment(Payment, payment),
    /// Of prices.
    Price(Price, price),
    /// Of a price agreement.
    PriceAgreement(PriceAgreement, price_agreement),
    /// Of a product.
    Product(Product, product),
    /// Of a product code.
    ProductCode(ProductCode, product_code),
    /// Of what a company buys.
    Purchases(Purchases, purchases),
    /// Of a request for prices.
    QuotationRequest(QuotationRequest, quotation_request),
    /// Of a numbering series.
    Series(Series, series),
    /// Of a shipment.
    Shipment(Shipment, shipment),
    /// Of what an employee spends.
    Spending(Spending, spending),
    /// Of stock.
    Stock(Stock, stock),
    /// Of who looks after whom.
    Territories(Territories, territories),
    /// Of a tree.
    Tree(Tree, tree),
}

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
