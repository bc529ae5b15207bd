//! A shipment: goods of one or several orders of one company that leave together. It is prepared and
//! packed, or dispatched at once; then it is delivered, or comes back.

pub mod delivery;
mod error;
pub mod parcel;

use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{
        AddressId, CompanyId, Currency, Lines, Name, OfCompany, OrderId, PaymentTerm, Reference,
        aggregate::aggregate, day,
    },
    sales::order::Item,
};

pub use delivery::{Failure, FailureReason, Proof, Return};
pub use error::Error;
pub use parcel::{Content, Dimensions, Parcel};

/// The state of a shipment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Shipment {
    /// Not dispatched.
    #[default]
    Undispatched,
    /// It is being prepared; nothing has left.
    Prepared {
        /// What is to leave.
        preparation: Preparation,
        /// The parcels; none before it is packed.
        parcels: Vec<Parcel>,
    },
    /// It will not leave.
    Cancelled {
        /// To whom it would have gone.
        company: CompanyId,
    },
    /// It left.
    Dispatched {
        /// The recipient.
        company: CompanyId,
        /// On which day.
        on: Date,
        /// The last delivery that failed.
        failed: Option<Failure>,
    },
    /// It arrived.
    Delivered {
        /// At whose place.
        company: CompanyId,
        /// Who took it, and when.
        proof: Proof,
    },
    /// It came back.
    Returned {
        /// To whom it had gone.
        company: CompanyId,
    },
}

/// What is to leave together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ShipmentPreparation")]
pub struct Preparation {
    /// To whom.
    pub company: CompanyId,
    /// Of which orders, each once.
    pub orders: Vec<OrderPart>,
    /// The delivery address that all these orders name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<AddressId>,
    /// Who is to carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub courier: Option<Name>,
    /// The day on which it was prepared.
    pub on: Date,
}

/// What of one order is to leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderPart {
    /// The order.
    pub order: OrderId,
    /// Which lines, and how much of each.
    pub items: Vec<Item>,
}

/// Part of an order that is proposed for a shipment, with what must be the same for all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Whose order it is.
    pub company: CompanyId,
    /// Where its goods go.
    pub address: Option<AddressId>,
    /// What of it is to leave.
    pub part: OrderPart,
}

/// The dispatched goods, with the data that the invoice needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dispatch {
    /// The recipient.
    pub company: CompanyId,
    /// The order.
    pub order: OrderId,
    /// The currency of the prices.
    pub currency: Currency,
    /// The dispatched quantities, at the order's prices.
    pub lines: Lines,
    /// The payment term of the invoice.
    pub payment_term: PaymentTerm,
    /// The courier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub courier: Option<Name>,
    /// The courier's tracking number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<Reference>,
    /// The day of dispatch, which is the day of the invoice.
    pub on: Date,
}

/// The commands of a shipment.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Dispatch goods of one order without preparation.
    Dispatch(Dispatch),
    /// Prepare a shipment.
    Prepare {
        /// Of which orders.
        candidates: Vec<Candidate>,
        /// Who is to carry it.
        courier: Option<Name>,
        /// The day.
        on: Date,
    },
    /// Pack it. Packing again replaces all parcels.
    Pack {
        /// The parcels.
        parcels: Vec<Parcel>,
    },
    /// Dispatch what was prepared: one dispatch per order, in the order of the preparation.
    DispatchPrepared {
        /// The dispatches.
        dispatches: Vec<Dispatch>,
    },
    /// Cancel the preparation.
    Cancel,
    /// Record that it was delivered.
    Deliver(Proof),
    /// Record that a delivery failed.
    FailDelivery(Failure),
    /// Record that it came back undelivered.
    ReturnToSender(Return),
}

/// The events of a shipment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The goods were dispatched.
    Dispatched {
        /// The dispatched goods and their transport.
        dispatch: Dispatch,
    },
    /// It was prepared; nothing has left yet.
    Prepared {
        /// What is to leave.
        preparation: Preparation,
    },
    /// It was packed.
    Packed {
        /// The parcels, which contain exactly what is to leave.
        parcels: Vec<Parcel>,
    },
    /// Goods of a further order left with it. `dispatched` has those of the first order.
    FurtherOrderDispatched {
        /// What, to whom, how.
        dispatch: Dispatch,
    },
    /// Its preparation was cancelled; nothing left.
    Cancelled {},
    /// It arrived.
    Delivered {
        /// Who took it, and when.
        proof: Proof,
    },
    /// A delivery failed; it may be tried again.
    DeliveryFailed {
        /// Why, and when.
        failure: Failure,
    },
    /// It came back undelivered.
    ReturnedToSender {
        /// When, and why.
        returned: Return,
    },
}

aggregate!(Shipment, "shipment", {
    Dispatched => "dispatched" v 1,
    Prepared => "prepared" v 1,
    Packed => "packed" v 1,
    FurtherOrderDispatched => "further_order_dispatched" v 1,
    Cancelled => "cancelled" v 1,
    Delivered => "delivered" v 1,
    DeliveryFailed => "delivery_failed" v 1,
    ReturnedToSender => "returned_to_sender" v 1,
});

impl Shipment {
    /// The most orders of one shipment.
    pub const MOST_ORDERS: usize = 50;

    /// Every rule of a shipment.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match command {
            Command::Dispatch(dispatch) => match self {
                Self::Undispatched => {
                    day::checked(dispatch.on)?;
                    Ok(vec![Event::Dispatched { dispatch }])
                }
                Self::Prepared { .. } => Err(Error::AlreadyPrepared),
                Self::Cancelled { .. } => Err(Error::Cancelled),
                Self::Dispatched { .. } | Self::Delivered { .. } | Self::Returned { .. } => {
                    Err(Error::AlreadyDispatched)
                }
            },
            Command::Prepare { candidates, courier, on } => match self {
                Self::Undispatched => {
                    day::checked(on)?;
                    let preparation = prepared(candidates, courier, on)?;
                    Ok(vec![Event::Prepared { preparation }])
                }
                Self::Prepared { .. } => Err(Error::AlreadyPrepared),
                Self::Cancelled { .. } => Err(Error::Cancelled),
                Self::Dispatched { .. } | Self::Delivered { .. } | Self::Returned { .. } => {
                    Err(Error::AlreadyDispatched)
                }
            },
            Command::Pack { parcels } => {
                let (preparation, packed) = self.preparing()?;
                parcel::checked(&preparation.orders, &parcels)?;
                if *packed == parcels {
                    return Ok(vec![]);
                }
                Ok(vec![Event::Packed { parcels }])
            }
            Command::DispatchPrepared { dispatches } => match self {
                Self::Undispatched => Err(Error::Unprepared),
                Self::Prepared { preparation, .. } => leave(preparation, dispatches),
                Self::Cancelled { .. } => Err(Error::Cancelled),
                Self::Dispatched { .. } | Self::Delivered { .. } | Self::Returned { .. } => {
                    Ok(vec![])
                }
            },
            Command::Cancel => match self {
                Self::Undispatched => Err(Error::Unprepared),
                Self::Prepared { .. } => Ok(vec![Event::Cancelled {}]),
                Self::Cancelled { .. } => Ok(vec![]),
                Self::Dispatched { .. } | Self::Delivered { .. } | Self::Returned { .. } => {
                    Err(Error::AlreadyDispatched)
                }
            },
            Command::Deliver(proof) => match self {
                Self::Delivered { proof: known, .. } if *known == proof => Ok(vec![]),
                Self::Delivered { .. } => Err(Error::AlreadyDelivered),
                Self::Undispatched
                | Self::Prepared { .. }
                | Self::Cancelled { .. }
                | Self::Dispatched { .. }
                | Self::Returned { .. } => {
                    self.on_its_way(proof.at)?;
                    Ok(vec![Event::Delivered { proof }])
                }
            },
            Command::FailDelivery(failure) => {
                let last = self.on_its_way(failure.at)?;
                if last.as_ref() == Some(&failure) {
                    return Ok(vec![]);
                }
                Ok(vec![Event::DeliveryFailed { failure }])
            }
            Command::ReturnToSender(returned) => match self {
                Self::Returned { .. } => Ok(vec![]),
                Self::Undispatched
                | Self::Prepared { .. }
                | Self::Cancelled { .. }
                | Self::Dispatched { .. }
                | Self::Delivered { .. } => {
                    self.on_its_way(returned.at)?;
                    Ok(vec![Event::ReturnedToSender { returned }])
                }
            },
        }
    }

    /// What is to leave, and its parcels, as long as nothing has left.
    pub fn preparing(&self) -> Result<(&Preparation, &Vec<Parcel>), Error> {
        match self {
            Self::Undispatched => Err(Error::Unprepared),
            Self::Prepared { preparation, parcels } => Ok((preparation, parcels)),
            Self::Cancelled { .. } => Err(Error::Cancelled),
            Self::Dispatched { .. } | Self::Delivered { .. } | Self::Returned { .. } => {
                Err(Error::AlreadyDispatched)
            }
        }
    }

    /// Checks that it is between dispatch and arrival, and was so at that time; the last failure.
    fn on_its_way(&self, at: Timestamp) -> Result<&Option<Failure>, Error> {
        let (on, failed) = match self {
            Self::Undispatched => return Err(Error::Unprepared),
            Self::Prepared { .. } => return Err(Error::NotDispatched),
            Self::Cancelled { .. } => return Err(Error::Cancelled),
            Self::Dispatched { on, failed, .. } => (*on, failed),
            Self::Delivered { .. } => return Err(Error::AlreadyDelivered),
            Self::Returned { .. } => return Err(Error::Returned),
        };
        // East of Greenwich a day begins while it is still the day before in UTC.
        let day = day::checked(at.to_zoned(TimeZone::UTC).date())?;
        if day < on.saturating_sub(1.day()) {
            return Err(Error::BeforeDispatch { on });
        }
        Ok(failed)
    }

    fn evolve(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Prepared { preparation }) => Self::Prepared { preparation, parcels: vec![] },
            (Self::Prepared { preparation, .. }, Event::Packed { parcels }) => {
                Self::Prepared { preparation, parcels }
            }
            (_, Event::Dispatched { dispatch }) => {
                Self::Dispatched { company: dispatch.company, on: dispatch.on, failed: None }
            }
            (Self::Prepared { preparation, .. }, Event::Cancelled {}) => {
                Self::Cancelled { company: preparation.company }
            }
            (Self::Dispatched { company, .. }, Event::Delivered { proof }) => {
                Self::Delivered { company, proof }
            }
            (Self::Dispatched { company, on, .. }, Event::DeliveryFailed { failure }) => {
                Self::Dispatched { company, on, failed: Some(failure) }
            }
            (Self::Dispatched { company, .. }, Event::ReturnedToSender { .. }) => {
                Self::Returned { company }
            }
            // The first order's dispatch says all that decisions need. `decide` writes none of the
            // others in such a state.
            (
                shipment,
                Event::FurtherOrderDispatched { .. }
                | Event::Packed { .. }
                | Event::Cancelled {}
                | Event::Delivered { .. }
                | Event::DeliveryFailed { .. }
                | Event::ReturnedToSender { .. },
            ) => shipment,
        }
    }
}

fn prepared(
    candidates: Vec<Candidate>,
    courier: Option<Name>,
    on: Date,
) -> Result<Preparation, Error> {
    let Some(&Candidate { company, address, .. }) = candidates.first() else {
        return Err(Error::NoOrders);
    };
    let lines: usize = candidates.iter().map(|candidate| candidate.part.items.len()).sum();
    if candidates.len() > Shipment::MOST_ORDERS || lines > Lines::MAX {
        return Err(Error::TooManyOrders);
    }
    let mut named = BTreeSet::new();
    for (index, candidate) in candidates.iter().enumerate() {
        if !named.insert(candidate.part.order) {
            return Err(Error::OrderNamedTwice { index });
        }
        if candidate.company != company {
            return Err(Error::OtherCompany { index });
        }
        if candidate.address != address {
            return Err(Error::OtherAddress { index });
        }
        if candidate.part.items.is_empty() {
            return Err(Error::NoItems { index });
        }
    }
    let orders = candidates.into_iter().map(|candidate| candidate.part).collect();
    Ok(Preparation { company, orders, address, courier, on })
}

/// The events of a prepared shipment that leaves: exactly what was prepared, all on one day.
fn leave(preparation: &Preparation, dispatches: Vec<Dispatch>) -> Result<Vec<Event>, Error> {
    let is_as_prepared = |part: &OrderPart, dispatch: &Dispatch| {
        let prepared = part.items.iter().map(|item| item.quantity);
        let leaving = dispatch.lines.iter().map(|line| line.quantity);
        dispatch.order == part.order
            && dispatch.company == preparation.company
            && prepared.eq(leaving)
    };
    let days: BTreeSet<Date> = dispatches.iter().map(|dispatch| dispatch.on).collect();
    let pairs = || std::iter::zip(&preparation.orders, &dispatches);
    if dispatches.len() != preparation.orders.len()
        || days.len() != 1
        || !pairs().all(|(part, dispatch)| is_as_prepared(part, dispatch))
    {
        return Err(Error::OtherContents);
    }
    for on in days {
        day::checked(on)?;
    }
    let mut dispatches = dispatches.into_iter();
    let first = dispatches.next().map(|dispatch| Event::Dispatched { dispatch });
    let further = dispatches.map(|dispatch| Event::FurtherOrderDispatched { dispatch });
    Ok(first.into_iter().chain(further).collect())
}

impl OfCompany for Shipment {
    fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Undispatched => None,
            Self::Prepared { preparation, .. } => Some(preparation.company),
            Self::Cancelled { company }
            | Self::Dispatched { company, .. }
            | Self::Delivered { company, .. }
            | Self::Returned { company } => Some(*company),
        }
    }
}

#[cfg(test)]
mod tests;
