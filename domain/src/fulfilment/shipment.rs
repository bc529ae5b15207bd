//! A shipment: the goods of one order that were dispatched together, with their courier.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{
    CompanyId, Currency, Lines, Name, OfCompany, OrderId, PaymentTerm, Reference,
    aggregate::aggregate,
    day::{self, DayError},
    refusal::refusals,
};

/// The state of a shipment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Shipment {
    /// Not dispatched.
    #[default]
    Undispatched,
    /// Dispatched.
    Dispatched {
        /// The recipient.
        company: CompanyId,
    },
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
    /// Dispatch it.
    Dispatch(Dispatch),
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
}

aggregate!(Shipment, "shipment", { Dispatched => "dispatched" v 1 });

/// Why a shipment refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It was dispatched before.
    #[error("the shipment was already dispatched")]
    AlreadyDispatched,
    /// The day is outside the accepted range.
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
