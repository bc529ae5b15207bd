//! What one company has bought lately: the sums and numbers by which it earns discounts.
//!
//! Its stream is derived from the company, and every invoice of the company is counted in it.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::{
    CompanyId, Currency, InvoiceId, Money, OfCompany, OrderId, PurchasesId,
    aggregate::aggregate,
    day::{self, DayError},
    refusal::refusals,
};

/// What decisions need to know of what was bought.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Purchases {
    company: Option<CompanyId>,
    days: BTreeMap<Date, Day>,
    /// Orders of which something was invoiced lately, with the day on which they counted.
    counted: BTreeMap<OrderId, Date>,
}

/// What was bought on a day.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Day {
    /// Net, by currency; what is given back is taken away on the day of its credit note.
    net: BTreeMap<Currency, Decimal>,
    /// Orders that were invoiced for the first time.
    orders: u32,
}

/// What can be asked of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Count an invoice.
    Count {
        /// Whom it charges.
        company: CompanyId,
        /// Which invoice.
        invoice: InvoiceId,
        /// The order behind it.
        order: OrderId,
        /// Its net sum.
        net: Money,
        /// Its day.
        on: Date,
        /// The day on which it is counted.
        today: Date,
    },
    /// Take away what a credit note gives back.
    TakeAway {
        /// To whom.
        company: CompanyId,
        /// Which credit note.
        credit_note: InvoiceId,
        /// Its net sum, positive.
        net: Money,
        /// Its day.
        on: Date,
        /// The day on which it is counted.
        today: Date,
    },
}

/// What happened to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// An invoice counts.
    Counted {
        /// Whom it charges.
        company: CompanyId,
        /// Which invoice.
        invoice: InvoiceId,
        /// The order behind it.
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
    /// A credit note gave something back.
    TakenAway {
        /// To whom.
        company: CompanyId,
        /// Which credit note.
        credit_note: InvoiceId,
        /// Its net sum, positive.
        net: Money,
        /// Its day.
        #[schemars(with = "String", extend("format" = "date"))]
        on: Date,
        /// The day on which it was counted; missing where that was not recorded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>", extend("format" = "date"))]
        counted_on: Option<Date>,
    },
}

aggregate!(Purchases, "purchases", {
    Counted => "counted" v 1,
    TakenAway => "taken_away" v 1,
});

/// Why something does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No document bears such a day.
    #[error(transparent)]
    Day(#[from] DayError),
}

refusals!(Error, {
    Day => ("day.out_of_range", Invalid),
});

impl Purchases {
    /// For how many days back purchases are remembered: three years, one of them a leap year.
    pub const DAYS: u16 = 1_096;
    /// For how many days a further invoice of an order is known to be of the same order.
    const OF_ONE_ORDER: i32 = 180;
    /// How many days with purchases are remembered before older ones are forgotten.
    const MOST_DAYS: usize = 2_000;
    /// How many orders are remembered before older ones are forgotten.
    const MOST_ORDERS: usize = 10_000;

    /// Every rule of it.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        Ok(vec![match command {
            Command::Count { company, invoice, order, net, on, today } => {
                let (on, counted_on) = (day::checked(on)?, Some(today));
                Event::Counted { company, invoice, order, net, on, counted_on }
            }
            Command::TakeAway { company, credit_note, net, on, today } => {
                let (on, counted_on) = (day::checked(on)?, Some(today));
                Event::TakenAway { company, credit_note, net, on, counted_on }
            }
        }])
    }

    fn evolve(mut self, event: Event) -> Self {
        let today = match event {
            Event::Counted { company, order, net, on, counted_on, .. } => {
                self.company = Some(company);
                let first = self.counted.insert(order, on).is_none();
                let day = self.days.entry(on).or_default();
                let sum = day.net.entry(net.currency()).or_default();
                // A sum that nothing can hold stays at the largest: older builds allowed amounts
                // whose sums panic.
                *sum = sum.saturating_add(net.amount());
                day.orders += u32::from(first);
                counted_on
            }
            Event::TakenAway { company, net, on, counted_on, .. } => {
                self.company = Some(company);
                let day = self.days.entry(on).or_default();
                let sum = day.net.entry(net.currency()).or_default();
                *sum = sum.saturating_sub(net.amount());
                counted_on
            }
        };
        if let Some(today) = today {
            self.forget(today);
        }
        self
    }

    /// Forgets what nothing asks for any more, by the clock: the days of documents may be any.
    fn forget(&mut self, today: Date) {
        let before = |days: i32| today.saturating_sub(days.days());
        if self.days.len() > Self::MOST_DAYS {
            let oldest = before(i32::from(Self::DAYS));
            self.days.retain(|day, _| *day > oldest);
        }
        if self.counted.len() > Self::MOST_ORDERS {
            let oldest = before(Self::OF_ONE_ORDER);
            self.counted.retain(|_, day| *day > oldest);
        }
    }

    /// What was invoiced, less what was credited, in so many days up to a day; net.
    pub fn turnover(&self, currency: Currency, days: u16, on: Date) -> Decimal {
        let nets = self.within(days, on).filter_map(|day| day.net.get(&currency));
        nets.fold(Decimal::ZERO, |sum, net| sum.saturating_add(*net))
    }

    /// How many orders were invoiced in so many days up to a day.
    pub fn orders(&self, days: u16, on: Date) -> u32 {
        self.within(days, on).map(|day| day.orders).sum()
    }

    fn within(&self, days: u16, on: Date) -> impl Iterator<Item = &Day> {
        let from = on.saturating_sub((i32::from(days) - 1).days());
        self.days.range(from..=on.max(from)).map(|(_, day)| day)
    }

    /// The same after something happened.
    #[cfg(test)]
    pub(crate) fn with(self, event: Event) -> Self {
        self.evolve(event)
    }
}

impl PurchasesId {
    /// What a company has bought: one stream each.
    pub fn of(company: CompanyId) -> Self {
        Self(Uuid::new_v5(&company.0, b"purchases"))
    }
}

impl OfCompany for Purchases {
    fn company(&self) -> Option<CompanyId> {
        self.company
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::day;

    fn counted(order: u128, net: &str, on: &str) -> Event {
        Event::Counted {
            company: CompanyId(Uuid::from_u128(1)),
            invoice: InvoiceId(Uuid::from_u128(order)),
            order: OrderId(Uuid::from_u128(order)),
            net: Money::parse(net, Currency::Pln).unwrap(),
            on: day(on),
            counted_on: Some(day(on)),
        }
    }

    #[test]
    fn sums_what_was_invoiced_less_what_was_credited() {
        let taken_away = Event::TakenAway {
            company: CompanyId(Uuid::from_u128(1)),
            credit_note: InvoiceId(Uuid::from_u128(9)),
            net: Money::parse("30.00", Currency::Pln).unwrap(),
            on: day("2026-11-02"),
            counted_on: None,
        };
        let events = [
            counted(1, "100.00", "2026-11-01"),
            // The rest of the same order.
            counted(1, "50.00", "2026-11-02"),
            counted(2, "7.50", "2026-11-03"),
            taken_away,
        ];
        let purchases = events.into_iter().fold(Purchases::default(), Purchases::with);
        for (days, on, turnover, orders) in [
            (1, "2026-11-03", "7.50", 1),
            (2, "2026-11-03", "27.50", 1),
            (3, "2026-11-03", "127.50", 2),
            (90, "2026-11-03", "127.50", 2),
            (1, "2026-11-02", "20.00", 0),
            (90, "2026-10-31", "0", 0),
        ] {
            let (currency, on) = (Currency::Pln, day(on));
            assert_eq!(purchases.turnover(currency, days, on), turnover.parse().unwrap(), "{days}");
            assert_eq!(purchases.orders(days, on), orders, "{days} {on}");
        }
        assert_eq!(purchases.turnover(Currency::Eur, 90, day("2026-11-03")), Decimal::ZERO);
        assert_eq!(purchases.company(), Some(CompanyId(Uuid::from_u128(1))));
    }

    #[test]
    fn forgets_what_nothing_asks_for() {
        let first = day("2020-01-01");
        let mut purchases = Purchases::default();
        let mut last = first;
        for days in 0..5_000_i32 {
            last = first.saturating_add(days.days());
            let order = u128::from(days.unsigned_abs());
            purchases = purchases.with(counted(order, "1.00", &last.to_string()));
        }
        assert!((1_096..=2_000).contains(&purchases.days.len()), "{}", purchases.days.len());
        let all = purchases.turnover(Currency::Pln, Purchases::DAYS, last);
        assert_eq!(all, Decimal::from(Purchases::DAYS));
    }

    /// An older build took any day up to the year 2999, and forgot all that lay before it.
    #[test]
    fn a_day_far_ahead_does_not_stop_it_from_counting() {
        let mut far = counted(1, "1.00", "2999-12-31");
        let Event::Counted { counted_on, .. } = &mut far else { unreachable!() };
        *counted_on = None;
        let events = [far, counted(2, "2.00", "2026-01-01"), counted(3, "4.00", "2026-01-02")];
        let purchases = events.into_iter().fold(Purchases::default(), Purchases::with);
        let on = day("2026-01-02");
        assert_eq!(purchases.turnover(Currency::Pln, 30, on), "6.00".parse().unwrap());
        assert_eq!(purchases.orders(30, on), 2);
    }
}
