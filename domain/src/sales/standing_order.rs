//! A standing order: by its schedule, a company orders the same again and again.

mod ongoing;
mod plan;
mod recurrence;
mod rrule;
mod schedule;

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::{
    ongoing::{DateChange, Next, Ongoing, Run},
    plan::{Plan, ReferencePattern, StandingLine, UnavailableLines},
    recurrence::{Recurrence, RecurrenceError, Weekday},
    rrule::{Rrule, RruleError},
    schedule::{Ends, NonWorkingDays, Schedule, ScheduleError},
};
use crate::kernel::{
    CompanyId, EmployeeId, Note, OfCompany, OrderId, ProductId, Quantity, Reference, Sku,
    aggregate::aggregate, day::DayError, refusal::refusals,
};

/// The state of a standing order. While it is active, it has a date to come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum StandingOrder {
    /// Not started.
    #[default]
    Unstarted,
    /// It places orders.
    Active(Box<Ongoing>),
    /// It places none until it is resumed.
    Paused(Box<Ongoing>),
    /// It places none any more.
    Ended {
        /// The company.
        company: CompanyId,
    },
}

/// The commands of a standing order.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Start it.
    Start {
        /// For whom.
        company: CompanyId,
        /// What, when and how.
        plan: Box<Plan>,
        /// The day.
        today: Date,
    },
    /// Replace what it orders, when and how.
    Change {
        /// The whole plan.
        plan: Box<Plan>,
        /// The day.
        today: Date,
    },
    /// Place no orders for the time being.
    Pause {
        /// Why.
        reason: Option<Note>,
        /// The day.
        today: Date,
    },
    /// Place orders again, from this day on.
    Resume {
        /// The day.
        today: Date,
    },
    /// Order nothing on one date.
    Skip {
        /// The date of the schedule.
        date: Date,
        /// The day.
        today: Date,
    },
    /// Order on another day, or other lines, for one date.
    ChangeDate {
        /// The date of the schedule.
        date: Date,
        /// On which day; its own when missing.
        on: Option<Date>,
        /// Which lines; those of the plan when missing.
        lines: Option<Vec<StandingLine>>,
        /// The employee of the company who says so.
        placed_by: Option<EmployeeId>,
        /// The day.
        today: Date,
    },
    /// Take back what was changed of one date.
    Restore {
        /// The date of the schedule.
        date: Date,
        /// The day.
        today: Date,
    },
    /// Announce the next order if the day for that has come.
    Announce {
        /// The day.
        today: Date,
    },
    /// Record what came of the newest date that is due.
    Record {
        /// The date of the schedule.
        date: Date,
        /// What came of it.
        outcome: Outcome,
        /// The day.
        today: Date,
    },
    /// Place no orders any more.
    End {
        /// Why.
        reason: Option<Note>,
        /// The day.
        today: Date,
    },
}

/// What came of a date.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// An order was placed.
    Placed {
        /// Which one.
        order: OrderId,
        /// What could not be had.
        left_out: Vec<LeftOut>,
    },
    /// No order was placed.
    Failed {
        /// Why.
        reasons: Vec<Reason>,
        /// What could not be had.
        left_out: Vec<LeftOut>,
    },
}

/// A line that could not be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "StandingOrderLeftOut")]
pub struct LeftOut {
    /// Its number, counted from 1.
    pub line: u32,
    /// Which product.
    pub product: ProductId,
    /// Its code when the line was made.
    pub sku: Sku,
    /// How much of it was wanted.
    pub quantity: Quantity,
    /// Why.
    pub reason: Reason,
}

/// Why something was not ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "StandingOrderReason")]
pub struct Reason {
    /// The code of the broken rule, such as `company.suspended`.
    pub code: Reference,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Note>,
}

/// Why a standing order ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "StandingOrderEnd")]
pub enum EndedBy {
    /// Somebody ended it.
    Command,
    /// Its schedule has no date to come.
    Schedule,
}

/// What happened to a standing order. `next` is what comes next; it is missing where nothing does
/// until a later event says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// It places orders from now on.
    Started {
        /// For whom.
        company: CompanyId,
        /// What, when and how.
        plan: Plan,
        /// The day.
        #[schemars(with = "String", extend("format" = "date"))]
        on: Date,
        /// What comes next.
        next: Next,
    },
    /// What it orders, when or how is another.
    Changed {
        /// The whole plan.
        plan: Plan,
        /// Whether dates that were skipped or changed stay so.
        keeps_dates: bool,
        /// The day.
        #[schemars(with = "String", extend("format" = "date"))]
        on: Date,
        /// What comes next.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<Next>,
    },
    /// It places no orders for the time being.
    Paused {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Note>,
    },
    /// It places orders again. Dates before this day are over.
    Resumed {
        /// The day.
        #[schemars(with = "String", extend("format" = "date"))]
        on: Date,
        /// What comes next.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<Next>,
    },
    /// Nothing is ordered on one date.
    DateSkipped {
        /// The date of the schedule.
        #[schemars(with = "String", extend("format" = "date"))]
        date: Date,
        /// What comes next.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<Next>,
    },
    /// One date is ordered on another day, or other lines are.
    DateChanged {
        /// The date of the schedule.
        #[schemars(with = "String", extend("format" = "date"))]
        date: Date,
        /// How.
        change: DateChange,
        /// What comes next.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<Next>,
    },
    /// One date is as the schedule has it again.
    DateRestored {
        /// The date of the schedule.
        #[schemars(with = "String", extend("format" = "date"))]
        date: Date,
        /// What comes next.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<Next>,
    },
    /// The next order will be placed soon; until then it can be skipped or changed.
    RunAnnounced {
        /// The date of the schedule.
        #[schemars(with = "String", extend("format" = "date"))]
        date: Date,
        /// The day on which it will be placed.
        #[schemars(with = "String", extend("format" = "date"))]
        on: Date,
        /// What will be ordered.
        lines: Vec<StandingLine>,
    },
    /// Dates passed without an order, because none could be placed in time.
    RunsMissed {
        /// The dates of the schedule.
        #[schemars(with = "Vec<String>")]
        dates: Vec<Date>,
    },
    /// An order was placed.
    RunPlaced {
        /// The date of the schedule.
        #[schemars(with = "String", extend("format" = "date"))]
        date: Date,
        /// The day on which it was placed.
        #[schemars(with = "String", extend("format" = "date"))]
        on: Date,
        /// Which order.
        order: OrderId,
        /// What could not be had.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left_out: Vec<LeftOut>,
        /// What comes next.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<Next>,
    },
    /// No order was placed.
    RunFailed {
        /// The date of the schedule.
        #[schemars(with = "String", extend("format" = "date"))]
        date: Date,
        /// The day on which it should have been placed.
        #[schemars(with = "String", extend("format" = "date"))]
        on: Date,
        /// Why.
        reasons: Vec<Reason>,
        /// What could not be had.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left_out: Vec<LeftOut>,
        /// What comes next.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<Next>,
    },
    /// It places no orders any more.
    Ended {
        /// Why.
        by: EndedBy,
        /// In words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Note>,
    },
}

aggregate!(StandingOrder, "standing_order", {
    Started => "started" v 1,
    Changed => "changed" v 1,
    Paused => "paused" v 1,
    Resumed => "resumed" v 1,
    DateSkipped => "date_skipped" v 1,
    DateChanged => "date_changed" v 1,
    DateRestored => "date_restored" v 1,
    RunAnnounced => "run_announced" v 1,
    RunsMissed => "runs_missed" v 1,
    RunPlaced => "run_placed" v 1,
    RunFailed => "run_failed" v 1,
    Ended => "ended" v 1,
});

/// Why a standing order refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such standing order.
    #[error("there is no such standing order")]
    Unstarted,
    /// The id belongs to a standing order already.
    #[error("the standing order was already started")]
    AlreadyStarted,
    /// It has ended for good.
    #[error("the standing order has ended")]
    Ended,
    /// It is paused.
    #[error("the standing order is paused")]
    Paused,
    /// Nothing, or more than it holds.
    #[error("a standing order has 1 to {} lines", Plan::MOST_LINES)]
    LineCount,
    /// Too early to be of use, or no day before at all.
    #[error("a date is announced 1 to {} days before", Plan::MOST_NOTICE_DAYS)]
    NoticeDays,
    /// A fixed price without a last day, or the reverse.
    #[error("fixed prices and the last day on which they hold go together")]
    FixedPrices,
    /// The schedule is refused.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// No document bears such a day.
    #[error(transparent)]
    Day(#[from] DayError),
    /// The schedule has no date to come within ten years.
    #[error("the schedule has no date to come within ten years")]
    NoDates,
    /// The date is over.
    #[error("the date {date} was already dealt with")]
    DatePassed {
        /// Which date.
        date: Date,
    },
    /// The schedule has no such date.
    #[error("the schedule has no date {date}")]
    NoSuchDate {
        /// Which date.
        date: Date,
    },
    /// The date is so far ahead that nobody changes it.
    #[error("a date is skipped or changed at most {} days ahead", Ongoing::FARTHEST)]
    TooFarAhead,
    /// Neither another day nor other lines.
    #[error("say on which other day or which other lines are ordered")]
    NothingChanged,
    /// The day is over.
    #[error("the day {on} is over")]
    DayPassed {
        /// Which day.
        on: Date,
    },
    /// Not a working day, or after the end.
    #[error("on {on} this standing order places no orders: it is a day off or after its end")]
    NotForOrders {
        /// Which day.
        on: Date,
    },
    /// The day lies beyond the date before or after.
    #[error("the day {on} does not lie between the date before and the date after")]
    PassesAnother {
        /// Which day.
        on: Date,
    },
    /// More than it holds.
    #[error(
        "at most {} dates are skipped or changed at once, with at most {} lines together",
        Ongoing::MOST_DATES,
        Ongoing::MOST_CHANGED_LINES
    )]
    TooManyChanges,
    /// The date is not the one that is due.
    #[error("the date {date} is not due")]
    NotDue {
        /// Which date.
        date: Date,
    },
}

refusals!(Error, {
    Unstarted => ("standing_order.unstarted", Missing),
    AlreadyStarted => ("standing_order.already_started", State),
    Ended => ("standing_order.ended", State),
    Paused => ("standing_order.paused", State),
    LineCount => ("standing_order.line_count", Invalid),
    NoticeDays => ("standing_order.notice_days", Invalid),
    FixedPrices => ("standing_order.fixed_prices", Invalid),
    Schedule => ("standing_order.schedule", Invalid),
    Day => ("day.out_of_range", Invalid),
    NoDates => ("standing_order.no_dates", Invalid),
    DatePassed => ("standing_order.date_passed", State),
    NoSuchDate => ("standing_order.no_such_date", Invalid),
    TooFarAhead => ("standing_order.too_far_ahead", Invalid),
    NothingChanged => ("standing_order.nothing_changed", Invalid),
    DayPassed => ("standing_order.day_passed", Invalid),
    NotForOrders => ("standing_order.not_for_orders", Invalid),
    PassesAnother => ("standing_order.passes_another", Invalid),
    TooManyChanges => ("standing_order.too_many_changes", State),
    NotDue => ("standing_order.not_due", State),
});

impl StandingOrder {
    /// Every rule of a standing order.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match command {
            Command::Start { company, plan, today } => match self {
                Self::Unstarted => start(company, *plan, today),
                Self::Active(_) | Self::Paused(_) | Self::Ended { .. } => {
                    Err(Error::AlreadyStarted)
                }
            },
            Command::Change { plan, today } => self.change(*plan, today),
            Command::Pause { reason, today } => match self {
                Self::Active(ongoing) => {
                    Ok(missed(ongoing.overdue(today)).chain([Event::Paused { reason }]).collect())
                }
                Self::Paused(_) => Ok(vec![]),
                Self::Unstarted => Err(Error::Unstarted),
                Self::Ended { .. } => Err(Error::Ended),
            },
            Command::Resume { today } => match self {
                Self::Active(_) => Ok(vec![]),
                Self::Paused(ongoing) => {
                    let next = (**ongoing).clone().without_past_runs(today).next();
                    Ok(with_end(Event::Resumed { on: today, next }, next))
                }
                Self::Unstarted => Err(Error::Unstarted),
                Self::Ended { .. } => Err(Error::Ended),
            },
            Command::Skip { date, today } => self.skip(date, today),
            Command::ChangeDate { date, on, lines, placed_by, today } => {
                let on = on.filter(|on| *on != date);
                self.change_date(date, on, DateChange::Changed { on, lines, placed_by }, today)
            }
            Command::Restore { date, today } => {
                let ongoing = self.ongoing()?;
                ongoing.must_be_planned(date, today)?;
                if !ongoing.dates.contains_key(&date) {
                    return Ok(vec![]);
                }
                let mut after = ongoing.clone();
                after.dates.remove(&date);
                Ok(vec![Event::DateRestored { date, next: self.next_after(&after) }])
            }
            Command::Announce { today } => match self {
                Self::Active(ongoing) => Ok(announced(ongoing, today).into_iter().collect()),
                // The read model may be behind.
                Self::Paused(_) | Self::Ended { .. } => Ok(vec![]),
                Self::Unstarted => Err(Error::Unstarted),
            },
            Command::Record { date, outcome, today } => match self {
                Self::Active(ongoing) => record(ongoing, date, outcome, today),
                Self::Paused(_) => Err(Error::Paused),
                Self::Ended { .. } => Err(Error::Ended),
                Self::Unstarted => Err(Error::Unstarted),
            },
            Command::End { reason, today } => match self {
                Self::Unstarted => Err(Error::Unstarted),
                Self::Active(ongoing) => Ok(missed(ongoing.overdue(today))
                    .chain([Event::Ended { by: EndedBy::Command, reason }])
                    .collect()),
                Self::Paused(_) => Ok(vec![Event::Ended { by: EndedBy::Command, reason }]),
                Self::Ended { .. } => Ok(vec![]),
            },
        }
    }

    fn change(&self, plan: Plan, today: Date) -> Result<Vec<Event>, Error> {
        let ongoing = self.ongoing()?;
        if ongoing.plan == plan {
            return Ok(vec![]);
        }
        plan.check()?;
        let keeps_dates =
            ongoing.plan.schedule == plan.schedule && ongoing.plan.currency == plan.currency;
        let changed = changed(ongoing.clone(), plan.clone(), keeps_dates, today);
        if changed.next().is_none() {
            return Err(Error::NoDates);
        }
        let overdue = match self {
            Self::Active(ongoing) => ongoing.overdue(today),
            Self::Unstarted | Self::Paused(_) | Self::Ended { .. } => vec![],
        };
        let next = self.next_after(&changed);
        Ok(missed(overdue).chain([Event::Changed { plan, keeps_dates, on: today, next }]).collect())
    }

    fn skip(&self, date: Date, today: Date) -> Result<Vec<Event>, Error> {
        let ongoing = self.ongoing()?;
        ongoing.must_be_planned(date, today)?;
        let skipped = DateChange::Skipped {};
        if ongoing.dates.get(&date) == Some(&skipped) {
            return Ok(vec![]);
        }
        ongoing.must_have_room(date, &skipped)?;
        let mut after = ongoing.clone();
        after.dates.insert(date, skipped);
        let event = Event::DateSkipped { date, next: self.next_after(&after) };
        Ok(with_end(event, after.next()))
    }

    fn change_date(
        &self,
        date: Date,
        on: Option<Date>,
        change: DateChange,
        today: Date,
    ) -> Result<Vec<Event>, Error> {
        let ongoing = self.ongoing()?;
        if matches!(change, DateChange::Changed { on: None, lines: None, .. }) {
            return Err(Error::NothingChanged);
        }
        ongoing.must_be_planned(date, today)?;
        if ongoing.dates.get(&date) == Some(&change) {
            return Ok(vec![]);
        }
        if let Some(on) = on {
            ongoing.must_fit(date, on, today)?;
        }
        ongoing.must_have_room(date, &change)?;
        let mut after = ongoing.clone();
        after.dates.insert(date, change.clone());
        Ok(vec![Event::DateChanged { date, change, next: self.next_after(&after) }])
    }

    /// What an event says comes next: nothing while it is paused.
    fn next_after(&self, ongoing: &Ongoing) -> Option<Next> {
        match self {
            Self::Active(_) => ongoing.next(),
            Self::Unstarted | Self::Paused(_) | Self::Ended { .. } => None,
        }
    }

    /// What it is while it has not ended.
    pub fn ongoing(&self) -> Result<&Ongoing, Error> {
        match self {
            Self::Active(ongoing) | Self::Paused(ongoing) => Ok(ongoing),
            Self::Unstarted => Err(Error::Unstarted),
            Self::Ended { .. } => Err(Error::Ended),
        }
    }

    fn evolve(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Started { company, plan, on, next: _ }) => {
                Self::Active(Box::new(started(company, plan, on)))
            }
            (state, Event::Changed { plan, keeps_dates, on, next: _ }) => {
                state.map(|ongoing| changed(ongoing, plan, keeps_dates, on))
            }
            (Self::Active(ongoing), Event::Paused { .. }) => Self::Paused(ongoing),
            (Self::Paused(ongoing), Event::Resumed { on, .. }) => {
                Self::Active(Box::new(ongoing.without_past_runs(on)))
            }
            (state, Event::DateSkipped { date, .. }) => {
                state.with_date(date, Some(DateChange::Skipped {}))
            }
            (state, Event::DateChanged { date, change, .. }) => state.with_date(date, Some(change)),
            (state, Event::DateRestored { date, .. }) => state.with_date(date, None),
            (state, Event::RunAnnounced { date, .. }) => {
                state.map(|ongoing| Ongoing { announced: Some(date), ..ongoing })
            }
            (state, Event::RunsMissed { dates }) => {
                state.map(|ongoing| dates.into_iter().fold(ongoing, Ongoing::passed))
            }
            (state, Event::RunPlaced { date, .. }) => state.map(|ongoing| {
                let passed = ongoing.passed(date);
                Ongoing { orders: passed.orders.saturating_add(1), ..passed }
            }),
            (state, Event::RunFailed { date, .. }) => state.map(|ongoing| ongoing.passed(date)),
            (Self::Active(ongoing) | Self::Paused(ongoing), Event::Ended { .. }) => {
                Self::Ended { company: ongoing.company }
            }
            // `decide` writes none of these in other states.
            (state, Event::Paused { .. } | Event::Resumed { .. } | Event::Ended { .. }) => state,
        }
    }

    fn map(self, change: impl FnOnce(Ongoing) -> Ongoing) -> Self {
        match self {
            Self::Active(ongoing) => Self::Active(Box::new(change(*ongoing))),
            Self::Paused(ongoing) => Self::Paused(Box::new(change(*ongoing))),
            Self::Unstarted | Self::Ended { .. } => self,
        }
    }

    fn with_date(self, date: Date, change: Option<DateChange>) -> Self {
        self.map(|mut ongoing| {
            match change {
                Some(change) => ongoing.dates.insert(date, change),
                None => ongoing.dates.remove(&date),
            };
            ongoing
        })
    }
}

fn start(company: CompanyId, plan: Plan, today: Date) -> Result<Vec<Event>, Error> {
    plan.check()?;
    let next = started(company, plan.clone(), today).next().ok_or(Error::NoDates)?;
    Ok(vec![Event::Started { company, plan, on: today, next }])
}

/// Dates from the day on which it is started are to come, that day included.
fn started(company: CompanyId, plan: Plan, on: Date) -> Ongoing {
    let (after, dates) = (on.saturating_sub(1.day()), BTreeMap::new());
    Ongoing { company, plan, after, dates, orders: 0, announced: None }
}

fn changed(ongoing: Ongoing, plan: Plan, keeps_dates: bool, on: Date) -> Ongoing {
    let dates = if keeps_dates { ongoing.dates } else { BTreeMap::new() };
    let announced = ongoing.announced.filter(|_| keeps_dates);
    Ongoing { plan, dates, announced, ..ongoing }.without_past_runs(on)
}

fn announced(ongoing: &Ongoing, today: Date) -> Option<Event> {
    let is_due = ongoing.next()?.notice_on.is_some_and(|notice_on| notice_on <= today);
    let Run { date, on, lines, .. } = ongoing.upcoming().next()?;
    // On the day itself the order tells.
    (is_due && today < on).then(|| Event::RunAnnounced { date, on, lines: lines.to_vec() })
}

fn record(
    ongoing: &Ongoing,
    date: Date,
    outcome: Outcome,
    today: Date,
) -> Result<Vec<Event>, Error> {
    if date <= ongoing.after {
        return Ok(vec![]);
    }
    let (run, dates) = ongoing.due(today).ok_or(Error::NotDue { date })?;
    if run.date != date {
        return Err(Error::NotDue { date });
    }
    let mut after = ongoing.clone().passed(date);
    let event = match outcome {
        Outcome::Placed { order, left_out } => {
            after.orders = after.orders.saturating_add(1);
            Event::RunPlaced { date, on: today, order, left_out, next: after.next() }
        }
        Outcome::Failed { reasons, left_out } => {
            Event::RunFailed { date, on: today, reasons, left_out, next: after.next() }
        }
    };
    Ok(missed(dates).chain(with_end(event, after.next())).collect())
}

fn missed(dates: Vec<Date>) -> impl Iterator<Item = Event> {
    (!dates.is_empty()).then_some(Event::RunsMissed { dates }).into_iter()
}

/// An event after which nothing comes ends the standing order.
fn with_end(event: Event, next: Option<Next>) -> Vec<Event> {
    let ended = Event::Ended { by: EndedBy::Schedule, reason: None };
    std::iter::once(event).chain(next.is_none().then_some(ended)).collect()
}

impl OfCompany for StandingOrder {
    fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Unstarted => None,
            Self::Active(ongoing) | Self::Paused(ongoing) => Some(ongoing.company),
            Self::Ended { company } => Some(*company),
        }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
