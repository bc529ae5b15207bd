//! A shipment: what left together, by which courier, for which order.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{
    CompanyId, Currency, Lines, Name, OfCompany, OrderId, PaymentTerm, Reference,
    aggregate::aggregate,
    day::{self, DayError},
    refusal::refusals,
};

/// What decisions need to know of a shipment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Shipment {
    /// Nothing yet.
    #[default]
    Undispatched,
    /// It left.
    Dispatched {
        /// To whom.
        company: CompanyId,
    },
}

/// What left, with all that its invoice needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dispatch {
    /// To whom.
    pub company: CompanyId,
    /// Of which order.
    pub order: OrderId,
    /// In which currency its lines are priced.
    pub currency: Currency,
    /// What left, at the order's prices.
    pub lines: Lines,
    /// When the invoice will be due.
    pub payment_term: PaymentTerm,
    /// Who carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub courier: Option<Name>,
    /// The courier's number of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<Reference>,
    /// The day it left, which is the day of its invoice.
    pub on: Date,
}

/// What can be asked of a shipment.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Let it leave.
    Dispatch(Dispatch),
}

/// What happened to a shipment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// It left.
    Dispatched {
        /// What, to whom, how.
        dispatch: Dispatch,
    },
}

aggregate!(Shipment, "shipment", { Dispatched => "dispatched" v 1 });

/// Why a shipment refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It left before.
    #[error("the shipment was already dispatched")]
    AlreadyDispatched,
    /// No document bears such a day.
    #[error(transparent)]
    Day(#[from] DayError),
}

refusals!(Error, {
    AlreadyDispatched => ("shipment.already_dispatched", State),
    Day => ("day.out_of_range", Invalid),
});

impl Shipment {
    /// Every rule of a shipment.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        let Command::Dispatch(dispatch) = command;
        match self {
            Self::Undispatched => {
                day::checked(dispatch.on)?;
                Ok(vec![Event::Dispatched { dispatch }])
            }
            Self::Dispatched { .. } => Err(Error::AlreadyDispatched),
        }
    }

    fn evolve(self, event: Event) -> Self {
        match event {
            Event::Dispatched { dispatch } => Self::Dispatched { company: dispatch.company },
        }
    }
}

impl OfCompany for Shipment {
    fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Undispatched => None,
            Self::Dispatched { company } => Some(*company),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::fixtures::{TERM, answer, company, day, lines};

    fn dispatch() -> Dispatch {
        Dispatch {
            company: company(),
            order: OrderId(Uuid::nil()),
            currency: Currency::Pln,
            lines: lines(),
            payment_term: TERM,
            courier: None,
            tracking: None,
            on: day("2026-03-20"),
        }
    }

    #[test]
    fn leaves_once() {
        let dispatched = Event::Dispatched { dispatch: dispatch() };
        let command = Command::Dispatch(dispatch());
        assert_eq!(answer::<Shipment>(&[], command.clone()), Ok(vec![dispatched.clone()]));
        assert_eq!(answer::<Shipment>(&[dispatched], command), Err(Error::AlreadyDispatched));
    }

    #[test]
    fn leaves_on_a_day_of_trade() {
        let command = Command::Dispatch(Dispatch { on: day("-000001-01-01"), ..dispatch() });
        assert_eq!(answer::<Shipment>(&[], command), Err(Error::Day(DayError)));
    }
}
