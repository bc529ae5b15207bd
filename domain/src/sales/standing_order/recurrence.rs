//! On which days a standing order falls: every N days, weekdays, days of the month, or a rule of
//! RFC 5545.

use std::collections::BTreeSet;

use jiff::civil::{self, Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rrule::{Rrule, days_between, months_between, weeks_between};

/// On which days a standing order falls, before they are moved off non-working days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Recurrence {
    /// The first day of the schedule and every so many days after it.
    EveryDays {
        /// 1 to 366.
        days: u16,
    },
    /// Days of the week.
    Weekdays {
        /// Which.
        days: BTreeSet<Weekday>,
        /// Every so many weeks, counted from the week of the first day of the schedule: 1 to 52.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        every: u8,
    },
    /// Days of the month.
    MonthDays {
        /// 1 to 31, or -1 for the last day of the month. A day that a month does not have is its last
        /// day.
        days: BTreeSet<i8>,
        /// Every so many months, counted from the month of the first day of the schedule: 1 to 24.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        every: u8,
    },
    /// A recurrence rule of RFC 5545, such as `FREQ=MONTHLY;BYDAY=-1FR`.
    Rrule {
        /// Without `COUNT` and `UNTIL`: the schedule says when it ends.
        rule: Rrule,
    },
}

fn one() -> u8 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one(number: &u8) -> bool {
    *number == 1
}

/// A day of the week.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "DayOfWeek")]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl From<civil::Weekday> for Weekday {
    fn from(day: civil::Weekday) -> Self {
        match day {
            civil::Weekday::Monday => Self::Monday,
            civil::Weekday::Tuesday => Self::Tuesday,
            civil::Weekday::Wednesday => Self::Wednesday,
            civil::Weekday::Thursday => Self::Thursday,
            civil::Weekday::Friday => Self::Friday,
            civil::Weekday::Saturday => Self::Saturday,
            civil::Weekday::Sunday => Self::Sunday,
        }
    }
}

/// Why days do not make a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecurrenceError {
    /// Every day, or less often than once a year.
    #[error("a schedule recurs every 1 to 366 days, 1 to 52 weeks or 1 to 24 months")]
    Every,
    /// No day at all.
    #[error("a schedule names at least one day")]
    NoDays,
    /// No month has it.
    #[error("a day of the month is 1 to 31, or -1 for the last")]
    MonthDay,
}

impl Recurrence {
    pub(super) fn check(&self) -> Result<(), RecurrenceError> {
        let is_within = match self {
            Self::EveryDays { days } => (1..=366).contains(days),
            Self::Weekdays { every, .. } => (1..=52).contains(every),
            Self::MonthDays { every, .. } => (1..=24).contains(every),
            Self::Rrule { .. } => true,
        };
        if !is_within {
            return Err(RecurrenceError::Every);
        }
        match self {
            Self::EveryDays { .. } | Self::Rrule { .. } => Ok(()),
            Self::Weekdays { days, .. } if days.is_empty() => Err(RecurrenceError::NoDays),
            Self::Weekdays { .. } => Ok(()),
            Self::MonthDays { days, .. } if days.is_empty() => Err(RecurrenceError::NoDays),
            Self::MonthDays { days, .. } => {
                let is_day = |day: &i8| *day == -1 || (1..=31).contains(day);
                if days.iter().all(is_day) { Ok(()) } else { Err(RecurrenceError::MonthDay) }
            }
        }
    }

    /// Whether it falls on a day that is not before the first day of the schedule.
    pub(super) fn falls_on(&self, day: Date, first: Date) -> bool {
        match self {
            Self::EveryDays { days } => days_between(first, day) % i64::from(*days) == 0,
            Self::Weekdays { days, every } => {
                let weeks = weeks_between(first, day, civil::Weekday::Monday);
                weeks % i64::from(*every) == 0 && days.contains(&day.weekday().into())
            }
            Self::MonthDays { days, every } => {
                let of_month = |wanted: &i8| match *wanted {
                    -1 => day.day() == day.days_in_month(),
                    wanted => day.day() == wanted.min(day.days_in_month()),
                };
                months_between(first, day) % i64::from(*every) == 0 && days.iter().any(of_month)
            }
            Self::Rrule { rule } => rule.falls_on(day, first),
        }
    }
}
