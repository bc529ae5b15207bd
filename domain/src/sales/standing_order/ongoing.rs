//! A standing order under way: which of its dates come next, with what was changed of them.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Error, Plan, StandingLine, plan::checked_count};
use crate::kernel::{CompanyId, EmployeeId};

/// A standing order that has not ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ongoing {
    /// Whose it is.
    pub company: CompanyId,
    /// What it orders, and when.
    pub plan: Plan,
    /// The last day that was dealt with: later dates are to come.
    pub after: Date,
    /// What was changed of dates to come.
    pub dates: BTreeMap<Date, DateChange>,
    /// How many orders it has placed.
    pub orders: u32,
    /// The last date that was announced.
    pub announced: Option<Date>,
}

/// What was changed of one date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(rename = "StandingOrderDateChange")]
pub enum DateChange {
    /// Nothing is ordered.
    Skipped {},
    /// It is ordered on another day, or other lines are.
    Changed {
        /// On which day.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>", extend("format" = "date"))]
        on: Option<Date>,
        /// Which lines.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lines: Option<Vec<StandingLine>>,
        /// The company's employee who changed it, within whose limits it is then ordered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        placed_by: Option<EmployeeId>,
    },
}

/// One order that is to be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run<'a> {
    /// The date of the schedule, which identifies it.
    pub date: Date,
    /// The day on which it is placed.
    pub on: Date,
    /// What is ordered.
    pub lines: &'a [StandingLine],
    /// Who orders.
    pub placed_by: Option<EmployeeId>,
    /// Whether it has its own lines.
    pub has_own_lines: bool,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "StandingOrderNext")]
pub struct Next {
    /// The date of the schedule.
    #[schemars(with = "String", extend("format" = "date"))]
    pub date: Date,
    /// The day on which it is placed.
    #[schemars(with = "String", extend("format" = "date"))]
    pub on: Date,
    /// The day on which it is announced, where it was not yet and is to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub notice_on: Option<Date>,
}

impl Ongoing {
    /// How far ahead a date can be skipped or changed, in days.
    pub const FARTHEST: i32 = 731;
    /// How many dates can be skipped or changed at once.
    pub const MOST_DATES: usize = 100;
    /// How many lines they can have together.
    pub const MOST_CHANGED_LINES: usize = 2_000;

    /// The runs to come, whatever their number: their dates and their days increase strictly.
    pub(super) fn runs(&self) -> impl Iterator<Item = Run<'_>> {
        self.plan.schedule.dates_after(self.after).filter_map(|date| self.run(date))
    }

    /// The run of a date of the schedule; `None` if it is skipped.
    fn run(&self, date: Date) -> Option<Run<'_>> {
        let Plan { lines, placed_by, .. } = &self.plan;
        let (lines, placed_by) = (lines.as_slice(), *placed_by);
        match self.dates.get(&date) {
            None => Some(Run { date, on: date, lines, placed_by, has_own_lines: false }),
            Some(DateChange::Skipped {}) => None,
            Some(DateChange::Changed { on, lines: own, placed_by: by }) => Some(Run {
                date,
                on: on.unwrap_or(date),
                lines: own.as_deref().unwrap_or(lines),
                placed_by: by.or(placed_by),
                has_own_lines: own.is_some(),
            }),
        }
    }

    /// The runs that will be placed, as far as the number of orders goes.
    pub fn upcoming(&self) -> impl Iterator<Item = Run<'_>> {
        self.runs().take(self.plan.schedule.orders_left(self.orders))
    }

    /// What comes next; nothing if it is over.
    pub fn next(&self) -> Option<Next> {
        let Run { date, on, .. } = self.upcoming().next()?;
        let days = self.plan.notice_days.filter(|_| self.announced != Some(date));
        let notice_on = days.map(|days| on.saturating_sub(i64::from(days).days()));
        Some(Next { date, on, notice_on })
    }

    /// The newest run whose day has come, and the dates of those before it, which are missed.
    pub fn due(&self, today: Date) -> Option<(Run<'_>, Vec<Date>)> {
        self.upcoming().next()?;
        let mut due: Vec<Run<'_>> = self.runs().take_while(|run| run.on <= today).collect();
        let newest = due.pop()?;
        Some((newest, dates_of(due)))
    }

    /// The dates whose day is over without an order.
    pub(super) fn overdue(&self, today: Date) -> Vec<Date> {
        if self.plan.schedule.orders_left(self.orders) == 0 {
            return Vec::new();
        }
        dates_of(self.runs().take_while(|run| run.on < today).collect())
    }

    /// Refuses what is no date to come of the schedule.
    pub(super) fn must_be_planned(&self, date: Date, today: Date) -> Result<(), Error> {
        if date <= self.after {
            return Err(Error::DatePassed { date });
        }
        if date > today.saturating_add(Self::FARTHEST.days()) {
            return Err(Error::TooFarAhead);
        }
        let mut dates = self.plan.schedule.dates_after(self.after);
        match dates.find(|planned| *planned >= date) {
            Some(planned) if planned == date => Ok(()),
            Some(_) | None => Err(Error::NoSuchDate { date }),
        }
    }

    /// Refuses a day for a date that would change the order of dates, or is not for orders. It lies
    /// between the dates before and after it, as the schedule has them and as they are now.
    pub(super) fn must_fit(&self, date: Date, on: Date, today: Date) -> Result<(), Error> {
        if on < today {
            return Err(Error::DayPassed { on });
        }
        if !self.plan.schedule.admits(on) {
            return Err(Error::NotForOrders { on });
        }
        let (mut before, mut after) = (self.after, None);
        for planned in self.plan.schedule.dates_after(self.after) {
            let present = self.run(planned).map_or(planned, |run| run.on);
            if planned < date {
                before = planned.max(present);
            } else if planned > date {
                after = Some(planned.min(present));
                break;
            }
        }
        if before < on && after.is_none_or(|after| on < after) {
            Ok(())
        } else {
            Err(Error::PassesAnother { on })
        }
    }

    pub(super) fn must_have_room(&self, date: Date, change: &DateChange) -> Result<(), Error> {
        if let DateChange::Changed { lines: Some(lines), .. } = change {
            checked_count(lines)?;
        }
        let others = self.dates.iter().filter(|(other, _)| **other != date);
        let all = others.map(|(_, other)| other).chain([change]);
        let (mut count, mut lines) = (0, 0);
        for one in all {
            count += 1;
            if let DateChange::Changed { lines: Some(own), .. } = one {
                lines += own.len();
            }
        }
        if count > Self::MOST_DATES || lines > Self::MOST_CHANGED_LINES {
            return Err(Error::TooManyChanges);
        }
        Ok(())
    }

    /// On a day before which all is over: dates whose day is to come stay, those that were moved to a
    /// later day too.
    pub(super) fn without_past_runs(mut self, today: Date) -> Self {
        let mut after = self.after;
        let mut until = today.saturating_sub(1.day());
        for run in self.runs() {
            if run.on >= today {
                until = until.min(run.date.saturating_sub(1.day()));
                break;
            }
            after = after.max(run.date).max(run.on);
        }
        self.after = after.max(until);
        let after = self.after;
        self.dates.retain(|date, _| *date > after);
        self
    }

    /// After a date was dealt with on the day that it had.
    pub(super) fn passed(mut self, date: Date) -> Self {
        let on = self.run(date).map_or(date, |run| run.on);
        self.after = self.after.max(date).max(on);
        let after = self.after;
        self.dates.retain(|date, _| *date > after);
        self
    }
}

/// The newest of what was missed: a few years of days.
fn dates_of(runs: Vec<Run<'_>>) -> Vec<Date> {
    const MOST: usize = 1_000;
    runs[runs.len().saturating_sub(MOST)..].iter().map(|run| run.date).collect()
}
