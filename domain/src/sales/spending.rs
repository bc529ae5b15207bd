//! Spending: the recent orders of one employee, checked against limits.
//!
//! The id of its stream derives from the employee, and each of their orders writes to it, so that
//! concurrent orders cannot exceed a limit together.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{
        CompanyId, Currency, Money, OfCompany, OrderId,
        aggregate::aggregate,
        day::{self, DayError},
        refusal::refusals,
    },
    parties::employee::{Period, Person},
    sales::approval::Reason,
};

/// The state of the spending.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Spending {
    company: Option<CompanyId>,
    /// The net sums of recent orders, by day.
    days: BTreeMap<Date, BTreeMap<OrderId, Money>>,
}

/// The commands.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Count an order.
    Count {
        /// For which company it is.
        company: CompanyId,
        /// Which order.
        order: OrderId,
        /// Its net sum.
        net: Money,
        /// Its day.
        on: Date,
        /// The day on which it is counted.
        today: Date,
    },
    /// Remove an order: it was cancelled or refused.
    GiveBack {
        /// Which order.
        order: OrderId,
    },
    /// Reduce an order to what was shipped: the rest was cancelled.
    Reduce {
        /// Which order.
        order: OrderId,
        /// The net sum of what was shipped.
        to: Money,
    },
}

/// What happened to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// An order counts.
    Counted {
        /// For which company it is.
        company: CompanyId,
        /// Which order.
        order: OrderId,
        /// Its net sum.
        net: Money,
        /// Its day.
        #[schemars(with = "String", extend("format" = "date"))]
        on: Date,
        /// The day on which it was counted; missing where that was not recorded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>", extend("format" = "date"))]
        counted_on: Option<Date>,
    },
    /// It counts no more.
    GivenBack {
        /// Which order.
        order: OrderId,
        /// Its net sum.
        net: Money,
        /// The day on which it counted.
        #[schemars(with = "String", extend("format" = "date"))]
        on: Date,
    },
    /// Only some of it counts from now on.
    Reduced {
        /// Which order.
        order: OrderId,
        /// With which net sum it counts.
        to: Money,
        /// The day on which it counts.
        #[schemars(with = "String", extend("format" = "date"))]
        on: Date,
    },
}

aggregate!(Spending, "spending", {
    Counted => "counted" v 1,
    GivenBack => "given_back" v 1,
    Reduced => "reduced" v 1,
});

/// Why it refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The order counts already.
    #[error("the order is already counted")]
    AlreadyCounted,
    /// The day is outside the supported range.
    #[error(transparent)]
    Day(#[from] DayError),
}

refusals!(Error, {
    AlreadyCounted => ("spending.already_counted", State),
    Day => ("day.out_of_range", Invalid),
});

impl Spending {
    /// The days that orders are kept at least: the longest month, and some time in which an earlier
    /// order can be cancelled.
    const DAYS: i32 = 100;
    /// The most days with orders; then older ones are removed.
    const MOST_DAYS: usize = 200;

    /// Every rule of it.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match command {
            Command::Count { order, .. } if self.find(order).is_some() => {
                Err(Error::AlreadyCounted)
            }
            Command::Count { company, order, net, on, today } => Ok(vec![Event::Counted {
                company,
                order,
                net,
                on: day::checked(on)?,
                counted_on: Some(today),
            }]),
            Command::Reduce { order, to } => {
                let is_more = |(_, net): &(Date, Money)| {
                    net.currency() == to.currency() && net.amount() > to.amount()
                };
                let counted = self.find(order).filter(is_more);
                Ok(counted.map(|(on, _)| Event::Reduced { order, to, on }).into_iter().collect())
            }
            Command::GiveBack { order } => {
                let counted = self.find(order);
                Ok(counted
                    .map(|(on, net)| Event::GivenBack { order, net, on })
                    .into_iter()
                    .collect())
            }
        }
    }

    fn evolve(mut self, event: Event) -> Self {
        match event {
            Event::Counted { company, order, net, on, counted_on } => {
                self.company = Some(company);
                self.days.entry(on).or_default().insert(order, net);
                if let Some(today) = counted_on.filter(|_| self.days.len() > Self::MOST_DAYS) {
                    let first = today.saturating_sub(Self::DAYS.days());
                    self.days = self.days.split_off(&first);
                }
            }
            Event::Reduced { order, to, on } => {
                if let Some(net) = self.days.get_mut(&on).and_then(|orders| orders.get_mut(&order))
                {
                    *net = to;
                }
            }
            Event::GivenBack { order, on, .. } => {
                if let Some(orders) = self.days.get_mut(&on) {
                    orders.remove(&order);
                }
            }
        }
        self
    }

    fn find(&self, order: OrderId) -> Option<(Date, Money)> {
        self.days.iter().find_map(|(&on, orders)| Some((on, *orders.get(&order)?)))
    }

    /// The sum of the day, or of its month.
    pub fn spent(&self, per: Period, on: Date, currency: Currency) -> Decimal {
        let (first, last) = match per {
            Period::Order => return Decimal::ZERO,
            Period::Day => (on, on),
            Period::Month => (on.first_of_month(), on.last_of_month()),
        };
        let orders = self.days.range(first..=last).flat_map(|(_, orders)| orders.values());
        let nets = orders.filter(|net| net.currency() == currency).map(|net| net.amount());
        nets.fold(Decimal::ZERO, Decimal::saturating_add)
    }

    /// The limits that an order of this net sum on this day exceeds.
    pub fn beyond(&self, person: &Person, net: Money, on: Date) -> Vec<Reason> {
        let currency = net.currency();
        let beyond = |per| {
            let limit = person.limit(per, currency)?;
            let sum = self.spent(per, on, currency).checked_add(net.amount());
            let is_within = sum.is_some_and(|sum| sum <= limit.amount());
            (!is_within).then_some(Reason::Limit { per, limit })
        };
        Period::ALL.into_iter().filter_map(beyond).collect()
    }
}

impl OfCompany for Spending {
    fn company(&self) -> Option<CompanyId> {
        self.company
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::fixtures::{answer, company, day, person, pln};

    fn order(number: u128) -> OrderId {
        OrderId(Uuid::from_u128(number))
    }

    fn counted(number: u128, net: &str, on: &str) -> Event {
        let (order, net, on) = (order(number), pln(net), day(on));
        Event::Counted { company: company(), order, net, on, counted_on: Some(on) }
    }

    fn count(number: u128, net: &str, on: &str) -> Command {
        let (order, net, on) = (order(number), pln(net), day(on));
        Command::Count { company: company(), order, net, on, today: on }
    }

    #[test]
    fn counts_once_and_gives_back_once() {
        let (one, on) = (counted(1, "10.00", "2026-03-01"), day("2026-03-01"));
        let back = Event::GivenBack { order: order(1), net: pln("10.00"), on };
        let give_back = Command::GiveBack { order: order(1) };
        let check = |given: &[Event], when, then| assert_eq!(answer::<Spending>(given, when), then);
        check(&[], count(1, "10.00", "2026-03-01"), Ok(vec![one.clone()]));
        check(
            std::slice::from_ref(&one),
            count(1, "10.00", "2026-03-01"),
            Err(Error::AlreadyCounted),
        );
        check(std::slice::from_ref(&one), give_back.clone(), Ok(vec![back.clone()]));
        check(&[one, back], give_back.clone(), Ok(vec![]));
        check(&[], give_back, Ok(vec![]));
    }

    #[test]
    fn counts_only_what_of_an_order_was_filled() {
        let on = day("2026-03-01");
        let counted = counted(1, "10.00", "2026-03-01");
        let reduce = |to| Command::Reduce { order: order(1), to: pln(to) };
        let reduced = Event::Reduced { order: order(1), to: pln("4.00"), on };
        let check = |given: &[Event], when, then| assert_eq!(answer::<Spending>(given, when), then);
        check(std::slice::from_ref(&counted), reduce("4.00"), Ok(vec![reduced.clone()]));
        check(&[counted.clone(), reduced.clone()], reduce("4.00"), Ok(vec![]));
        check(&[], reduce("4.00"), Ok(vec![]));
        let given = spending(&[counted, reduced]);
        assert_eq!(given.spent(Period::Day, on, Currency::Pln).to_string(), "4.00");
    }

    fn spending(events: &[Event]) -> Spending {
        events.iter().cloned().fold(Spending::default(), Spending::evolve)
    }

    #[test]
    fn sums_by_day_and_by_calendar_month() {
        let spending = spending(&[
            counted(1, "10.00", "2026-02-28"),
            counted(2, "20.00", "2026-03-01"),
            counted(3, "30.00", "2026-03-31"),
            counted(4, "40.00", "2026-03-31"),
            counted(5, "50.00", "2026-04-01"),
        ]);
        let sum = |per, on| spending.spent(per, day(on), Currency::Pln).to_string();
        assert_eq!(sum(Period::Day, "2026-03-31"), "70.00");
        assert_eq!(sum(Period::Month, "2026-03-15"), "90.00");
        assert_eq!(sum(Period::Month, "2026-02-01"), "10.00");
        assert_eq!(spending.spent(Period::Month, day("2026-03-15"), Currency::Eur), Decimal::ZERO);
    }

    #[test]
    fn forgets_what_no_limit_asks_for() {
        let first = day("2026-01-01");
        let given: Vec<Event> = (0..500_i32)
            .map(|days| {
                let on = first.saturating_add(days.days());
                counted(u128::from(days.unsigned_abs()), "1.00", &on.to_string())
            })
            .collect();
        let given = spending(&given);
        assert!((100..=200).contains(&given.days.len()), "{}", given.days.len());
        assert_eq!(given.decide(Command::GiveBack { order: order(1) }), Ok(vec![]));
        let last = first.saturating_add(499.days());
        assert_eq!(given.spent(Period::Day, last, Currency::Pln).to_string(), "1.00");
    }

    /// An older build took any day up to the year 2999, and forgot all that lay before it.
    #[test]
    fn a_day_far_ahead_does_not_stop_it_from_counting() {
        let far = Event::Counted {
            company: company(),
            order: order(1),
            net: pln("1.00"),
            on: day("2999-12-31"),
            counted_on: None,
        };
        let given = spending(&[
            counted(2, "10.00", "2026-03-01"),
            far,
            counted(3, "20.00", "2026-03-01"),
            counted(4, "40.00", "2026-03-02"),
        ]);
        let sum = |per| given.spent(per, day("2026-03-01"), Currency::Pln).to_string();
        assert_eq!(
            (sum(Period::Day), sum(Period::Month)),
            ("30.00".to_owned(), "70.00".to_owned())
        );
        assert_eq!(given.decide(Command::GiveBack { order: order(2) }).unwrap().len(), 1);
    }

    #[test]
    fn a_limit_in_one_currency_is_one_of_nothing_in_others() {
        let mut person = person(1);
        let euros = Money::new(Decimal::ONE, Currency::Eur).unwrap();
        assert_eq!(Spending::default().beyond(&person, euros, day("2026-03-01")), vec![]);
        person.limits.entry(Period::Order).or_default().insert(Currency::Pln, pln("100.00"));
        let beyond = Spending::default().beyond(&person, euros, day("2026-03-01"));
        let none = Money::zero(Currency::Eur);
        assert_eq!(beyond, [Reason::Limit { per: Period::Order, limit: none }]);
    }

    proptest! {
        /// Whatever is ordered and given back when: what went through without asking never adds up
        /// to more than the limit, in any day and any month.
        #[test]
        fn what_needs_no_approval_stays_within_the_limits(
            orders in prop::collection::vec((1_i64..5_000, 1_i8..=28, 1_i8..=3, any::<bool>()), 1..60),
            per_day in 1_i64..10_000,
            per_month in 1_i64..40_000,
        ) {
            let mut person = person(1);
            let limit = |cents| Money::new(Decimal::new(cents, 2), Currency::Pln).unwrap();
            for (per, cents) in [(Period::Day, per_day), (Period::Month, per_month)] {
                person.limits.entry(per).or_default().insert(Currency::Pln, limit(cents));
            }
            let mut spending = Spending::default();
            let mut passed: Vec<(Date, Decimal)> = Vec::new();
            for (number, (cents, day, month, is_kept)) in (1..).zip(orders) {
                let (net, on) = (limit(cents), jiff::civil::date(2026, month, day));
                let asks = !spending.beyond(&person, net, on).is_empty();
                let (company, order_id) = (company(), order(number));
                let count = Command::Count { company, order: order_id, net, on, today: on };
                for event in spending.decide(count).unwrap() {
                    spending = spending.evolve(event);
                }
                // What is refused or cancelled is given back.
                if !is_kept {
                    let give_back = Command::GiveBack { order: order(number) };
                    for event in spending.decide(give_back).unwrap() {
                        spending = spending.evolve(event);
                    }
                } else if !asks {
                    passed.push((on, net.amount()));
                }
                let sum = |is_in: &dyn Fn(Date) -> bool| -> Decimal {
                    passed.iter().filter(|(on, _)| is_in(*on)).map(|(_, net)| *net).sum()
                };
                prop_assert!(sum(&|day| day == on) <= limit(per_day).amount());
                prop_assert!(
                    sum(&|day| day.first_of_month() == on.first_of_month())
                        <= limit(per_month).amount()
                );
            }
        }
    }
}
