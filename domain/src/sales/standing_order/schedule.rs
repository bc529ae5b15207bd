//! When a standing order places orders: its dates, moved off non-working days, and its end.

use jiff::{
    ToSpan,
    civil::{Date, date},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::recurrence::{Recurrence, RecurrenceError};
use crate::kernel::{
    day::{self, DayError},
    working_days,
};

/// When a standing order places orders. Days are those of the seller's time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StandingOrderSchedule")]
pub struct Schedule {
    /// The first day on which it may place an order, and from which intervals are counted.
    #[schemars(with = "String", extend("format" = "date"))]
    pub starts_on: Date,
    /// On which days it falls.
    pub recurrence: Recurrence,
    /// What becomes of a day that is a Saturday, a Sunday or a public holiday in Poland.
    pub non_working_days: NonWorkingDays,
    /// When it ends; never when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Ends>,
}

/// What becomes of a day that is no working day. Days that are moved to the same day become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NonWorkingDays {
    /// It stays.
    Keep,
    /// It becomes the next working day.
    Forward,
    /// It becomes the last working day before.
    Back,
}

/// When a standing order ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "StandingOrderEnds")]
pub enum Ends {
    /// After a day: nothing is placed later.
    AfterDay {
        /// The last day.
        #[schemars(with = "String", extend("format" = "date"))]
        day: Date,
    },
    /// After so many orders were placed.
    AfterOrders {
        /// 1 to 10,000.
        count: u32,
    },
}

/// Why a schedule is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Its days are refused.
    #[error(transparent)]
    Recurrence(#[from] RecurrenceError),
    /// No order bears such a day.
    #[error(transparent)]
    Day(#[from] DayError),
    /// No order, or more than anybody counts.
    #[error("a standing order ends after 1 to {} orders", Schedule::MOST_ORDERS)]
    OrderCount,
}

/// The last day on which anything is placed.
const LAST: Date = date(2999, 12, 31);

impl Schedule {
    /// For how many days a next date is looked for: ten years. A schedule without a date for so long
    /// has no more dates.
    pub const HORIZON: usize = 3_660;
    /// After how many orders it can end.
    pub const MOST_ORDERS: u32 = 10_000;

    /// Refuses a schedule that nobody can follow. Whether it has dates is another question.
    pub fn check(&self) -> Result<(), ScheduleError> {
        day::checked(self.starts_on)?;
        self.recurrence.check()?;
        match self.ends {
            None => Ok(()),
            Some(Ends::AfterDay { day }) => Ok(day::checked(day).map(|_| ())?),
            Some(Ends::AfterOrders { count }) if (1..=Self::MOST_ORDERS).contains(&count) => Ok(()),
            Some(Ends::AfterOrders { .. }) => Err(ScheduleError::OrderCount),
        }
    }

    /// Its dates after a day: they increase strictly. Each takes at most [`Self::HORIZON`] steps.
    pub fn dates_after(&self, after: Date) -> impl Iterator<Item = Date> + '_ {
        // A day before `after` can have been moved behind it; no run of days off is longer.
        let first = after.saturating_sub(10.days()).max(self.starts_on);
        let (mut day, mut last) = (Some(first), after);
        std::iter::from_fn(move || {
            for _ in 0..Self::HORIZON {
                let candidate = day.filter(|day| *day <= self.last_day())?;
                day = candidate.tomorrow().ok();
                if !self.recurrence.falls_on(candidate, self.starts_on) {
                    continue;
                }
                let moved = self.moved(candidate);
                if moved > last && (self.starts_on..=self.last_day()).contains(&moved) {
                    last = moved;
                    return Some(moved);
                }
            }
            None
        })
    }

    fn moved(&self, day: Date) -> Date {
        match self.non_working_days {
            NonWorkingDays::Keep => day,
            NonWorkingDays::Forward => working_days::on_or_after(day),
            NonWorkingDays::Back => working_days::on_or_before(day),
        }
    }

    /// Whether an order may be placed on a day that somebody chooses for one of its dates.
    pub(super) fn admits(&self, day: Date) -> bool {
        let is_open = match self.non_working_days {
            NonWorkingDays::Keep => true,
            NonWorkingDays::Forward | NonWorkingDays::Back => working_days::is_working_day(day),
        };
        is_open && day <= self.last_day()
    }

    fn last_day(&self) -> Date {
        match self.ends {
            Some(Ends::AfterDay { day }) => day.min(LAST),
            Some(Ends::AfterOrders { .. }) | None => LAST,
        }
    }

    /// How many orders it may still place after so many.
    pub fn orders_left(&self, placed: u32) -> usize {
        match self.ends {
            Some(Ends::AfterOrders { count }) => count.saturating_sub(placed) as usize,
            Some(Ends::AfterDay { .. }) | None => usize::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixtures::day, sales::standing_order::recurrence::Weekday};

    fn schedule(starts_on: &str, recurrence: Recurrence, non_working: NonWorkingDays) -> Schedule {
        Schedule {
            starts_on: day(starts_on),
            recurrence,
            non_working_days: non_working,
            ends: None,
        }
    }

    #[track_caller]
    fn check(schedule: &Schedule, after: &str, then: &str) {
        let count = then.split_whitespace().count() + 1;
        let dates: Vec<String> =
            schedule.dates_after(day(after)).take(count).map(|date| date.to_string()).collect();
        let shown = dates.iter().take(count - 1).cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(shown, then);
    }

    fn every(days: u16) -> Recurrence {
        Recurrence::EveryDays { days }
    }

    fn thursdays() -> Recurrence {
        Recurrence::Weekdays { days: [Weekday::Thursday].into(), every: 1 }
    }

    fn month_days(days: &[i8], every: u8) -> Recurrence {
        Recurrence::MonthDays { days: days.iter().copied().collect(), every }
    }

    #[test]
    fn christmas_moves_its_dates() {
        use NonWorkingDays::{Back, Forward, Keep};
        // Thursday is Christmas Eve, the Thursday after it New Year's Eve.
        let on = |moved| schedule("2026-12-01", thursdays(), moved);
        check(&on(Keep), "2026-12-16", "2026-12-17 2026-12-24 2026-12-31 2027-01-07");
        check(&on(Forward), "2026-12-16", "2026-12-17 2026-12-28 2026-12-31 2027-01-07");
        check(&on(Back), "2026-12-16", "2026-12-17 2026-12-23 2026-12-31 2027-01-07");
    }

    #[test]
    fn dates_that_meet_are_one() {
        let daily = schedule("2026-12-20", every(1), NonWorkingDays::Forward);
        check(&daily, "2026-12-21", "2026-12-22 2026-12-23 2026-12-28 2026-12-29");
        let daily = schedule("2026-12-20", every(1), NonWorkingDays::Back);
        check(&daily, "2026-12-21", "2026-12-22 2026-12-23 2026-12-28 2026-12-29");
        // Asked from within the days off, it is the same date.
        let daily = schedule("2026-12-20", every(1), NonWorkingDays::Forward);
        check(&daily, "2026-12-25", "2026-12-28 2026-12-29");
        check(&daily, "2026-12-28", "2026-12-29 2026-12-30");
    }

    #[test]
    fn counts_days_weeks_and_months_from_its_start() {
        use NonWorkingDays::Keep;
        check(&schedule("2026-02-27", every(2), Keep), "2026-02-27", "2026-03-01 2026-03-03");
        check(&schedule("1900-01-01", every(366), Keep), "2026-01-01", "2026-04-06 2027-04-07");
        let fortnight =
            Recurrence::Weekdays { days: [Weekday::Monday, Weekday::Friday].into(), every: 2 };
        check(
            &schedule("2026-12-02", fortnight, Keep),
            "2026-11-30",
            "2026-12-04 2026-12-14 2026-12-18 2026-12-28 2027-01-01 2027-01-11",
        );
        check(
            &schedule("2026-01-31", month_days(&[31], 1), Keep),
            "2026-01-01",
            "2026-01-31 2026-02-28 2026-03-31 2026-04-30",
        );
        check(
            &schedule("2028-01-01", month_days(&[29, 30, -1], 1), Keep),
            "2028-01-31",
            "2028-02-29 2028-03-29 2028-03-30 2028-03-31 2028-04-29 2028-04-30",
        );
        check(
            &schedule("2026-01-15", month_days(&[1, -1], 3), Keep),
            "2026-01-14",
            "2026-01-31 2026-04-01 2026-04-30 2026-07-01",
        );
    }

    #[test]
    fn nothing_falls_outside_its_start_and_its_end() {
        let ends = Some(Ends::AfterDay { day: day("2026-12-25") });
        let forward = schedule("2026-12-17", thursdays(), NonWorkingDays::Forward);
        // The next working day after Christmas Eve is behind the end.
        check(&Schedule { ends, ..forward }, "2026-12-01", "2026-12-17");
        let back = schedule("2026-12-24", thursdays(), NonWorkingDays::Back);
        // The last working day before Christmas Eve is before the start.
        check(&back, "2026-12-01", "2026-12-31 2027-01-07");
        let at_the_end = schedule("2999-12-20", every(7), NonWorkingDays::Forward);
        check(&at_the_end, "2026-01-01", "2999-12-20 2999-12-27");
        let before_the_end = schedule("2026-01-01", every(1), NonWorkingDays::Keep);
        assert_eq!(before_the_end.dates_after(day("2999-12-30")).count(), 1);
        assert_eq!(before_the_end.dates_after(day("9999-12-31")).count(), 0);
    }

    #[test]
    fn a_rule_without_days_has_no_dates() {
        for rule in [
            "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
            "FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29",
            "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
            "FREQ=DAILY;INTERVAL=366;BYDAY=MO;BYMONTHDAY=29;BYMONTH=2",
        ] {
            let recurrence = Recurrence::Rrule { rule: rule.parse().unwrap() };
            let schedule = schedule("2027-01-01", recurrence, NonWorkingDays::Forward);
            assert_eq!(schedule.check(), Ok(()));
            assert_eq!(schedule.dates_after(day("2026-12-01")).next(), None, "{rule}");
        }
    }
}
