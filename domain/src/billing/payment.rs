//! A payment: money that came in, and what of it is not yet set against an invoice.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    billing::{
        invoice::{Balance, NotPositive},
        series::Number,
    },
    kernel::{
        CompanyId, InvoiceId, Money, Note, OfCompany,
        aggregate::aggregate,
        day::{self, DayError},
        money::MoneyError,
        refusal::refusals,
    },
};

/// What decisions need to know of a payment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Payment {
    /// Nothing yet.
    #[default]
    Unbooked,
    /// The money is there.
    Booked {
        /// Whose money it was.
        company: CompanyId,
        /// What is not set against an invoice yet: the company's credit.
        unallocated: Money,
    },
}

/// How money came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "PaymentMethod")]
pub enum Method {
    /// Bank transfer.
    Transfer,
    /// Payment card.
    Card,
    /// BLIK.
    Blik,
    /// Cash.
    Cash,
}

/// What was booked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Booking {
    /// Whose money it was.
    pub company: CompanyId,
    /// How much; more than zero.
    pub amount: Money,
    /// How it came.
    pub method: Method,
    /// The day it was booked.
    pub on: Date,
    /// The invoice that the payer named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Number>,
    /// The transfer's title or the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Note>,
}

/// What can be asked of a payment.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// The money is there.
    Book(Booking),
    /// Set some of it against an invoice, which takes the same amount in the same append.
    Allocate {
        /// The invoice.
        invoice: InvoiceId,
        /// How much.
        amount: Money,
    },
}

/// What happened to a payment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The money is there.
    Booked {
        /// Whose, how much, how.
        booking: Booking,
    },
    /// Some of it was set against an invoice.
    Allocated {
        /// The invoice.
        invoice: InvoiceId,
        /// How much.
        amount: Money,
    },
}

aggregate!(Payment, "payment", {
    Booked => "booked" v 1,
    Allocated => "allocated" v 1,
});

/// Why a payment refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such payment.
    #[error("there is no such payment")]
    Unbooked,
    /// The id belongs to a payment already.
    #[error("the payment was already booked")]
    AlreadyBooked,
    /// Nothing, or less than nothing, is no payment.
    #[error("the amount must be more than zero")]
    NotPositive,
    /// There is less left of it.
    #[error("only {unallocated} of the payment is left")]
    MoreThanUnallocated {
        /// What is left.
        unallocated: Money,
    },
    /// The sums do not work out.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// No document bears such a day.
    #[error(transparent)]
    Day(#[from] DayError),
}

impl From<NotPositive> for Error {
    fn from(_: NotPositive) -> Self {
        Self::NotPositive
    }
}

refusals!(Error, {
    Unbooked => ("payment.unbooked", Missing),
    AlreadyBooked => ("payment.already_booked", State),
    NotPositive => ("payment.amount_not_positive", Invalid),
    MoreThanUnallocated => ("payment.more_than_unallocated", State),
    Money => (inner, Invalid),
    Day => ("day.out_of_range", Invalid),
});

impl Payment {
    /// Every rule of a payment.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match (self, command) {
            (Self::Unbooked, Command::Book(booking)) => {
                if !booking.amount.is_positive() {
                    return Err(Error::NotPositive);
                }
                booking.amount.within_ceiling()?;
                day::checked(booking.on)?;
                Ok(vec![Event::Booked { booking }])
            }
            (Self::Booked { .. }, Command::Book(_)) => Err(Error::AlreadyBooked),

            (Self::Booked { unallocated, .. }, Command::Allocate { invoice, amount }) => {
                Balance(*unallocated)
                    .less(amount, |unallocated| Error::MoreThanUnallocated { unallocated })?;
                Ok(vec![Event::Allocated { invoice, amount }])
            }
            (Self::Unbooked, Command::Allocate { .. }) => Err(Error::Unbooked),
        }
    }

    fn evolve(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Booked { booking }) => {
                Self::Booked { company: booking.company, unallocated: booking.amount }
            }
            // As for invoices: `decide` has checked it, and a state is never invented.
            (Self::Booked { company, unallocated }, Event::Allocated { amount, .. }) => {
                Self::Booked {
                    company,
                    unallocated: unallocated.minus(amount).unwrap_or(unallocated),
                }
            }
            (Self::Unbooked, Event::Allocated { .. }) => Self::Unbooked,
        }
    }

    /// What is not set against an invoice yet.
    pub fn unallocated(&self) -> Result<Money, Error> {
        match self {
            Self::Unbooked => Err(Error::Unbooked),
            Self::Booked { unallocated, .. } => Ok(*unallocated),
        }
    }
}

impl OfCompany for Payment {
    fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Unbooked => None,
            Self::Booked { company, .. } => Some(*company),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::fixtures::{answer, company, day, pln};

    #[track_caller]
    fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
        assert_eq!(answer::<Payment>(given, when), then);
    }

    fn booking(amount: &str) -> Booking {
        Booking {
            company: company(),
            amount: pln(amount),
            method: Method::Transfer,
            on: day("2026-03-20"),
            names: None,
            title: None,
        }
    }

    fn booked() -> Event {
        Event::Booked { booking: booking("100.00") }
    }

    fn allocate(amount: &str) -> Command {
        Command::Allocate { invoice: InvoiceId(Uuid::nil()), amount: pln(amount) }
    }

    fn allocated(amount: &str) -> Event {
        Event::Allocated { invoice: InvoiceId(Uuid::nil()), amount: pln(amount) }
    }

    #[test]
    fn is_booked_once() {
        check(&[], Command::Book(booking("100.00")), Ok(vec![booked()]));
        check(&[booked()], Command::Book(booking("100.00")), Err(Error::AlreadyBooked));
        check(&[], Command::Book(booking("0.00")), Err(Error::NotPositive));
        check(&[], Command::Book(booking("-1.00")), Err(Error::NotPositive));
        let above = Err(Error::Money(MoneyError::AboveCeiling));
        check(&[], Command::Book(booking("1000000000000.01")), above);
        let ancient = Booking { on: day("-009999-01-01"), ..booking("1.00") };
        check(&[], Command::Book(ancient), Err(Error::Day(DayError)));
    }

    #[test]
    fn gives_no_more_than_it_has() {
        check(&[], allocate("1.00"), Err(Error::Unbooked));
        check(&[booked()], allocate("100.00"), Ok(vec![allocated("100.00")]));
        let unallocated = pln("40.00");
        let given = [booked(), allocated("60.00")];
        check(&given, allocate("40.00"), Ok(vec![allocated("40.00")]));
        check(&given, allocate("40.01"), Err(Error::MoreThanUnallocated { unallocated }));
        check(&given, allocate("0.00"), Err(Error::NotPositive));
    }
}
