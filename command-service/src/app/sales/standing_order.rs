//! Standing orders: what companies order again and again.

mod dates;
mod planning;
mod running;

use domain::{
    CompanyId, Currency, Destination, EmployeeId, Name, Note, OfCompany, OrderId, StandingOrder,
    StandingOrderId,
    standing_order::{
        Command, Error, Plan, ReferencePattern, Schedule, ScheduleError, UnavailableLines,
    },
};
use event_log::{Outcome, WorkError};
use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;
use uuid::Uuid;

pub use self::dates::{ChangeDate, OfDate, change_date, restore, skip};
use self::planning::Planner;
pub(crate) use self::running::run;
use crate::{
    app::{Services, deciding, sales::lines::LineRequest},
    caller::Caller,
    failure::{Failure, refusal, refusal_at},
};

/// The day and the instant of a command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Day {
    pub(crate) today: Date,
    pub(crate) now: Timestamp,
}

impl Day {
    pub(crate) fn of(services: &Services) -> Self {
        Self { today: services.clock.today(), now: services.clock.now() }
    }
}

/// What is ordered again and again.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StartStandingOrder")]
pub struct Start {
    /// For which company; a buyer's key knows it.
    #[serde(default)]
    pub company: Option<CompanyId>,
    /// What it is made of: says what this leaves open.
    #[serde(default)]
    pub from: Option<Origin>,
    /// What the company calls it.
    #[serde(default)]
    pub name: Option<Name>,
    /// Needed without `from`.
    #[serde(default)]
    pub currency: Option<Currency>,
    /// 1 to 500; those of `from` when missing.
    #[serde(default)]
    pub lines: Vec<LineRequest>,
    pub schedule: Schedule,
    /// Where it goes and who pays for it, as far as that is said.
    #[serde(default)]
    pub destination: Option<Destination>,
    /// The company's own number of its orders.
    #[serde(default)]
    pub reference: Option<ReferencePattern>,
    /// The company's employee who orders, when the seller enters it; a key of an employee knows.
    #[serde(default)]
    pub placed_by: Option<EmployeeId>,
    pub unavailable_lines: UnavailableLines,
    /// How many days before a date it is announced: 1 to 60; not at all when missing.
    #[serde(default)]
    pub notice_days: Option<u8>,
    /// The last day on which today's prices hold, or those given for lines; only the seller can fix
    /// them. What agreements and lists make on the day of an order when missing.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub prices_fixed_until: Option<Date>,
}

/// What a standing order is made of.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "StandingOrderOrigin")]
pub enum Origin {
    /// An order of the company: its lines, currency and destination.
    Order {
        /// Which one.
        order: OrderId,
    },
}

/// The whole of what is ordered from now on.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ChangeStandingOrder")]
pub struct Change {
    /// What the company calls it.
    #[serde(default)]
    pub name: Option<Name>,
    pub currency: Currency,
    /// 1 to 500.
    pub lines: Vec<LineRequest>,
    pub schedule: Schedule,
    /// Where it goes and who pays for it, as far as that is said.
    #[serde(default)]
    pub destination: Destination,
    /// The company's own number of its orders.
    #[serde(default)]
    pub reference: Option<ReferencePattern>,
    /// The company's employee who orders, when the seller enters it; as before when missing.
    #[serde(default)]
    pub placed_by: Option<EmployeeId>,
    pub unavailable_lines: UnavailableLines,
    /// How many days before a date it is announced: 1 to 60; not at all when missing.
    #[serde(default)]
    pub notice_days: Option<u8>,
    /// The last day on which today's prices hold, or those given for lines; only the seller can fix
    /// them. When a buyer changes a standing order, lines that stay as they were keep their prices.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub prices_fixed_until: Option<Date>,
}

/// Starts a standing order.
pub async fn start(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    request: Start,
) -> Result<Outcome, Problem> {
    let (company, request) = planning::filled(services, caller, request).await?;
    let id = StandingOrderId(Uuid::now_v7());
    let planner = Planner { caller, day: Day::of(services), company };
    let (planner, request) = (&planner, &request);
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let today = planner.day.today;
                let plan = Box::new(planner.plan(work, request, None).await?);
                let command = Command::Start { company, plan, today };
                let started = work.decide::<StandingOrder>(id, command).await;
                started.map_err(refused)
            })
        })
        .await
}

/// Replaces what a standing order orders, when and how.
pub async fn change(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: StandingOrderId,
    request: Change,
) -> Result<Outcome, Problem> {
    let (day, request) = (Day::of(services), &request);
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let state = work.load::<StandingOrder>(id).await?;
                caller.must_see(state.company())?;
                let ongoing = state.ongoing().map_err(|error| refusal(&error))?;
                let (company, before) = (ongoing.company, ongoing.plan.clone());
                let planner = Planner { caller, day, company };
                let plan = Box::new(planner.plan(work, request, Some(&before)).await?);
                let command = Command::Change { plan, today: day.today };
                let changed = work.decide::<StandingOrder>(id, command).await;
                changed.map_err(refused)
            })
        })
        .await
}

/// Why a standing order is paused or ended.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StopStandingOrder")]
pub struct Stop {
    #[serde(default)]
    pub reason: Option<Note>,
}

/// Places no orders for the time being.
pub async fn pause(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: StandingOrderId,
    Stop { reason }: Stop,
) -> Result<Outcome, Problem> {
    let command = Command::Pause { reason, today: services.clock.today() };
    services.decide::<StandingOrder>(caller, digest, id, command).await
}

/// Places orders again.
pub async fn resume(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: StandingOrderId,
) -> Result<Outcome, Problem> {
    let command = Command::Resume { today: services.clock.today() };
    services.decide::<StandingOrder>(caller, digest, id, command).await
}

/// Places no orders any more.
pub async fn end(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: StandingOrderId,
    Stop { reason }: Stop,
) -> Result<Outcome, Problem> {
    let command = Command::End { reason, today: services.clock.today() };
    services.decide::<StandingOrder>(caller, digest, id, command).await
}

fn refused(error: WorkError<Error>) -> Failure {
    refusal_at(error, pointer)
}

/// The field that a rule is about.
fn pointer(error: &Error) -> Option<String> {
    let field = match error {
        Error::LineCount => "/lines",
        Error::NoticeDays => "/notice_days",
        Error::FixedPrices | Error::Day(_) => "/prices_fixed_until",
        Error::Schedule(ScheduleError::Recurrence(_)) => "/schedule/recurrence",
        Error::Schedule(ScheduleError::Day(_) | ScheduleError::OrderCount) | Error::NoDates => {
            "/schedule"
        }
        Error::DatePassed { .. } | Error::NoSuchDate { .. } | Error::TooFarAhead => "/date",
        Error::DayPassed { .. } | Error::NotForOrders { .. } | Error::PassesAnother { .. } => "/on",
        Error::Unstarted
        | Error::AlreadyStarted
        | Error::Ended
        | Error::Paused
        | Error::NothingChanged
        | Error::TooManyChanges
        | Error::NotDue { .. } => return None,
    };
    Some(field.to_owned())
}

/// The most lines that are looked up.
fn checked_count(lines: &[LineRequest]) -> Result<(), Failure> {
    if (1..=Plan::MOST_LINES).contains(&lines.len()) {
        Ok(())
    } else {
        Err(refused(WorkError::Refused(Error::LineCount)))
    }
}
