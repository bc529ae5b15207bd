//! A number of a company's own, under which it orders: whether it used the number for another order
//! lately.
//!
//! The id of its stream derives from the company and the number, so of two concurrent orders with the
//! same number the second one sees the first.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{
    CompanyId, OfCompany, OrderId, Reference,
    aggregate::aggregate,
    day::{self, DayError},
    refusal::refusals,
};

/// The state of a number.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum OrderReference {
    /// No order has it.
    #[default]
    Unused,
    /// An order has it.
    Used {
        /// Whose number it is.
        company: CompanyId,
        /// The last order.
        order: OrderId,
        /// The day of that order.
        on: Date,
    },
}

/// The commands of a number.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Use it for an order.
    Use {
        /// Who orders.
        company: CompanyId,
        /// The number.
        reference: Reference,
        /// The order.
        order: OrderId,
        /// The day of the order.
        on: Date,
        /// Whether the number may be that of another order.
        may_repeat: bool,
    },
}

/// What happened to a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// An order has it.
    Used {
        /// Who orders.
        company: CompanyId,
        /// The number.
        reference: Reference,
        /// The order.
        order: OrderId,
        /// The day of the order.
        #[schemars(with = "String", extend("format" = "date"))]
        on: Date,
    },
}

aggregate!(OrderReference, "order_reference", { Used => "used" v 1 });

/// Why a number cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The company ordered under the same number lately.
    #[error("the order {order} of {on} has the same number")]
    Repeated {
        /// The earlier order.
        order: OrderId,
        /// Its day.
        on: Date,
    },
    /// The day is outside the supported range.
    #[error(transparent)]
    Day(#[from] DayError),
}

refusals!(Error, {
    Repeated => ("order.reference_repeated", State),
    Day => ("day.out_of_range", Invalid),
});

impl OrderReference {
    /// For how many days a number is not used again without being asked for.
    pub const DAYS: i32 = 30;

    /// Every rule of a number.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        let Command::Use { company, reference, order, on, may_repeat } = command;
        let on = day::checked(on)?;
        match *self {
            Self::Used { order: same, .. } if same == order => Ok(vec![]),
            Self::Used { order, on: before, .. }
                if !may_repeat && (on - before).get_days().abs() <= Self::DAYS =>
            {
                Err(Error::Repeated { order, on: before })
            }
            Self::Unused | Self::Used { .. } => {
                Ok(vec![Event::Used { company, reference, order, on }])
            }
        }
    }

    fn evolve(self, event: Event) -> Self {
        match event {
            Event::Used { company, order, on, .. } => Self::Used { company, order, on },
        }
    }

    /// The last order with this number.
    pub fn order(&self) -> Option<OrderId> {
        match self {
            Self::Unused => None,
            Self::Used { order, .. } => Some(*order),
        }
    }
}

impl OfCompany for OrderReference {
    fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Unused => None,
            Self::Used { company, .. } => Some(*company),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::fixtures::{answer, company, day};

    fn reference() -> Reference {
        "ZAM/1".parse().unwrap()
    }

    fn used(order: u128, on: &str) -> Event {
        let (order, on) = (OrderId(Uuid::from_u128(order)), day(on));
        Event::Used { company: company(), reference: reference(), order, on }
    }

    fn with(order: u128, on: &str, may_repeat: bool) -> Command {
        let (order, on) = (OrderId(Uuid::from_u128(order)), day(on));
        Command::Use { company: company(), reference: reference(), order, on, may_repeat }
    }

    #[test]
    fn is_asked_for_when_it_repeats_within_thirty_days() {
        let check = |given: &[Event], when, then| {
            assert_eq!(answer::<OrderReference>(given, when), then);
        };
        let first = [used(1, "2026-03-01")];
        let repeated =
            Error::Repeated { order: OrderId(Uuid::from_u128(1)), on: day("2026-03-01") };
        check(&[], with(1, "2026-03-01", false), Ok(first.to_vec()));
        check(&first, with(1, "2026-03-01", false), Ok(vec![]));
        check(&first, with(2, "2026-03-31", false), Err(repeated.clone()));
        check(&first, with(2, "2026-01-30", false), Err(repeated));
        check(&first, with(2, "2026-03-31", true), Ok(vec![used(2, "2026-03-31")]));
        check(&first, with(2, "2026-04-01", false), Ok(vec![used(2, "2026-04-01")]));
        check(&first, with(2, "2026-01-29", false), Ok(vec![used(2, "2026-01-29")]));
    }
}
