//! `standing_orders`: what companies order again and again, what comes next, and what came of each
//! date.

use std::collections::BTreeMap;

use domain::{
    CompanyId, Event, OrderId, StandingOrderId, sales,
    standing_order::{
        self, DateChange, EndedBy, LeftOut, Next, Ongoing, Plan, Reason, StandingLine,
    },
};
use event_log::RecordedEvent;
use jiff::{ToSpan, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError, aside, build,
    heads::StandingOrderHead,
    projection::change,
    row::{json, json_or_none, limit_of, name_of, word, word_or_none},
};

/// Standing orders by id, and what came of each date.
pub const PROJECTION: Projection = Projection {
    name: "standing_orders",
    schema: "
        CREATE TABLE standing_orders (
            id uuid PRIMARY KEY,
            company_id uuid NOT NULL,
            status text NOT NULL,
            plan jsonb NOT NULL,
            -- What lists show.
            head jsonb NOT NULL,
            -- What was changed of dates to come, by date.
            dates jsonb NOT NULL DEFAULT '{}',
            orders bigint NOT NULL DEFAULT 0,
            -- What comes next, and the first day on which something is to be done about it.
            next jsonb,
            due_on date,
            ended_by text,
            -- Why it is paused or has ended.
            reason text,
            started_on date NOT NULL,
            -- The last event that changed what comes next.
            changed bigint NOT NULL,
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON standing_orders (company_id, created);
        CREATE INDEX ON standing_orders (due_on, id) WHERE due_on IS NOT NULL;
        CREATE TABLE standing_order_runs (
            standing_order_id uuid NOT NULL,
            date date NOT NULL,
            -- The day on which it was dealt with; missing where it was missed.
            dealt_on date,
            outcome text NOT NULL,
            order_id uuid,
            reasons jsonb NOT NULL,
            left_out jsonb NOT NULL,
            PRIMARY KEY (standing_order_id, date)
        )",
    tables: &["standing_orders", "standing_order_runs"],
    reads: &["standing_order"],
    aside: aside::stream,
    apply,
    build: build::STANDING_ORDERS,
};

const START: &str = "
    INSERT INTO standing_orders
        (id, company_id, status, plan, head, next, due_on, started_on, changed, created)
    VALUES ($1, $2, 'active', $3, $4, $5, $6, $7, $8, $8)";
const CHANGE: &str = "
    UPDATE standing_orders SET plan = $2, head = $3,
        dates = CASE WHEN $4 THEN dates ELSE '{}' END
    WHERE id = $1";
const STATUS: &str = "
    UPDATE standing_orders SET status = $2, reason = $3, ended_by = $4 WHERE id = $1";
const NEXT: &str = "UPDATE standing_orders SET next = $2, due_on = $3, changed = $4 WHERE id = $1";
const ANNOUNCE: &str = "
    UPDATE standing_orders SET next = next - 'notice_on', due_on = $2, changed = $3 WHERE id = $1";
const SET_DATE: &str = "
    UPDATE standing_orders SET dates = dates || jsonb_build_object($2::text, $3::jsonb)
    WHERE id = $1";
const UNSET_DATE: &str = "UPDATE standing_orders SET dates = dates - $2::text WHERE id = $1";
const MISS: &str = "
    INSERT INTO standing_order_runs (standing_order_id, date, outcome, reasons, left_out)
    SELECT $1, date, 'missed', '[]', '[]' FROM unnest($2::date[]) AS date";
const RUN: &str = "
    INSERT INTO standing_order_runs
        (standing_order_id, date, dealt_on, outcome, order_id, reasons, left_out)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const COUNT: &str = "UPDATE standing_orders SET orders = orders + 1 WHERE id = $1";
const LIST: &str = "
    SELECT id, company_id, status, plan, dates, orders, next, ended_by, reason, started_on, created
    FROM view.standing_orders
    WHERE id = $1 AND ($2::uuid IS NULL OR company_id = $2)";
const HEADS: &str = "
    SELECT id, company_id, status, head, orders, next, ended_by, reason, started_on, created
    FROM view.standing_orders
    WHERE ($1::uuid IS NULL OR company_id = $1) AND ($2::text IS NULL OR status = $2)
        AND ($3::bigint IS NULL OR created < $3)
    ORDER BY created DESC LIMIT $4";
const RUNS: &str = "
    SELECT date, dealt_on, outcome, order_id, reasons, left_out FROM view.standing_order_runs
    WHERE standing_order_id = $1 ORDER BY date DESC LIMIT $2";
const DUE: &str = "
    SELECT id, due_on, changed FROM view.standing_orders
    WHERE due_on <= $1 AND ($2::date IS NULL OR (due_on, id) > ($2, $3))
    ORDER BY due_on, id LIMIT $4";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    use standing_order::Event as E;
    let Event::Sales(sales::Event::StandingOrder(event)) = event else { return vec![] };
    let (id, position) = (recorded.stream_id, recorded.position.0.cast_signed());
    let next = |next: &Option<Next>| change!(NEXT, id, next.map(Json), next.map(due_on), position);
    let status = |status: Status, reason: Option<&domain::Note>, by: Option<EndedBy>| {
        let reason = reason.map(ToString::to_string);
        change!(STATUS, id, name_of(&status), reason, by.as_ref().map(name_of))
    };
    let run =
        |date: Date, on: Date, order: Option<OrderId>, reasons: &[Reason], left: &[LeftOut]| {
            let outcome = if order.is_some() { Outcome::Placed } else { Outcome::Failed };
            let (reasons, left_out) = (Json(reasons.to_vec()), Json(left.to_vec()));
            let order = order.map(Uuid::from);
            change!(RUN, id, date, on, name_of(&outcome), order, reasons, left_out)
        };
    let unset = |date: &Date| change!(UNSET_DATE, id, date.to_string());
    match event {
        E::Started { company, plan, on, next } => {
            let head = Json(StandingOrderHead::from(plan));
            let plan = Json(plan.clone());
            let (next, due_on) = (Json(*next), due_on(*next));
            vec![change!(START, id, company.0, plan, head, next, due_on, *on, position)]
        }
        E::Changed { plan, keeps_dates, next: then, .. } => {
            let head = Json(StandingOrderHead::from(plan));
            vec![change!(CHANGE, id, Json(plan.clone()), head, *keeps_dates), next(then)]
        }
        E::Paused { reason } => {
            vec![status(Status::Paused, reason.as_ref(), None), next(&None)]
        }
        E::Resumed { next: then, .. } => vec![status(Status::Active, None, None), next(then)],
        E::DateSkipped { date, next: then } => {
            let skipped = Json(DateChange::Skipped {});
            vec![change!(SET_DATE, id, date.to_string(), skipped), next(then)]
        }
        E::DateChanged { date, change, next: then } => {
            vec![change!(SET_DATE, id, date.to_string(), Json(change.clone())), next(then)]
        }
        E::DateRestored { date, next: then } => vec![unset(date), next(then)],
        E::RunAnnounced { on, .. } => vec![change!(ANNOUNCE, id, *on, position)],
        E::RunsMissed { dates } => vec![change!(MISS, id, dates.clone())],
        E::RunPlaced { date, on, order, left_out, next: then } => vec![
            run(*date, *on, Some(*order), &[], left_out),
            change!(COUNT, id),
            unset(date),
            next(then),
        ],
        E::RunFailed { date, on, reasons, left_out, next: then } => {
            vec![run(*date, *on, None, reasons, left_out), unset(date), next(then)]
        }
        E::Ended { by, reason } => {
            vec![status(Status::Ended, reason.as_ref(), Some(*by)), next(&None)]
        }
    }
}

/// The first day on which something is to be done about what comes next.
fn due_on(Next { on, notice_on, .. }: Next) -> Date {
    notice_on.map_or(on, |notice_on| notice_on.min(on))
}

/// How a standing order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "StandingOrderStatus")]
pub enum Status {
    /// It places orders.
    Active,
    /// It places none until it is resumed.
    Paused,
    /// It places none any more.
    Ended,
}

/// What came of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "StandingOrderOutcome")]
pub enum Outcome {
    /// An order was placed.
    Placed,
    /// No order was placed: `reasons` say why.
    Failed,
    /// It passed without an attempt.
    Missed,
}

/// A standing order with what comes next and what came of its dates.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StandingOrder {
    /// Its id.
    pub id: StandingOrderId,
    /// Whose it is.
    pub company: CompanyId,
    /// How it is.
    pub status: Status,
    /// What it orders, when and how.
    #[serde(flatten)]
    pub plan: Plan,
    /// What was changed of dates to come, by date of the schedule.
    #[schemars(with = "BTreeMap<String, DateChange>")]
    pub dates: BTreeMap<Date, DateChange>,
    /// How many orders it has placed.
    pub orders: u32,
    /// What comes next; missing while it is paused and after it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Next>,
    /// The next dates: at most 12.
    pub upcoming: Vec<Upcoming>,
    /// What came of its dates, newest first: at most 100.
    pub runs: Vec<Run>,
    /// Why it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<EndedBy>,
    /// Why it is paused or was ended, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was started.
    #[schemars(with = "String", extend("format" = "date"))]
    pub started_on: Date,
}

/// A standing order as lists show it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StandingOrderSummary {
    /// Its id.
    pub id: StandingOrderId,
    /// Whose it is.
    pub company: CompanyId,
    /// How it is.
    pub status: Status,
    /// What it orders, when and how, without its lines.
    #[serde(flatten)]
    pub head: StandingOrderHead,
    /// How many orders it has placed.
    pub orders: u32,
    /// What comes next; missing while it is paused and after it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Next>,
    /// Why it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<EndedBy>,
    /// Why it is paused or was ended, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was started.
    #[schemars(with = "String", extend("format" = "date"))]
    pub started_on: Date,
    /// Where in the log it was started; lists are in this order, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// An order that will be placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "StandingOrderUpcoming")]
pub struct Upcoming {
    /// The date of the schedule.
    #[schemars(with = "String", extend("format" = "date"))]
    pub date: Date,
    /// The day on which it is placed.
    #[schemars(with = "String", extend("format" = "date"))]
    pub on: Date,
    /// Its lines, where they are others than usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<StandingLine>>,
}

/// What came of one date.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "StandingOrderRun")]
pub struct Run {
    /// The date of the schedule.
    #[schemars(with = "String", extend("format" = "date"))]
    pub date: Date,
    /// The day on which it was dealt with; missing where it was missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub on: Option<Date>,
    /// What came of it.
    pub outcome: Outcome,
    /// The order that was placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// Why none was placed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// The lines that could not be had.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// How many dates to come are shown.
const UPCOMING: usize = 12;
/// How many dates that were dealt with are shown.
const SHOWN_RUNS: i64 = 100;

/// One standing order, of this company where one is named.
pub async fn find(
    client: &Client,
    id: Uuid,
    company: Option<Uuid>,
) -> Result<Option<StandingOrder>, ReadError> {
    let Some(row) = client.query_opt(LIST, &[&id, &company]).await? else { return Ok(None) };
    let runs = client.query(RUNS, &[&id, &SHOWN_RUNS]).await?;
    let runs = runs.iter().map(run_of).collect::<Result<_, _>>()?;
    standing_order_of(&row, runs).map(Some)
}

/// Which standing orders are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Those of this company.
    pub company: Option<Uuid>,
    /// Those with this status.
    pub status: Option<Status>,
}

/// Standing orders without their lines, newest first, from before `cursor`, at most `limit`.
pub async fn summaries(
    client: &Client,
    Filter { company, status }: &Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<StandingOrderSummary>, ReadError> {
    let status = status.as_ref().map(name_of);
    let rows = client.query(HEADS, &[company, &status, &cursor, &limit]).await?;
    let summary = |row: &Row| {
        Ok(StandingOrderSummary {
            id: StandingOrderId(row.get("id")),
            company: CompanyId(row.get("company_id")),
            status: word(row, "status")?,
            head: json(row, "head")?,
            orders: orders(row)?,
            next: json_or_none(row, "next")?,
            ended_by: word_or_none(row, "ended_by")?,
            reason: row.get("reason"),
            started_on: row.get("started_on"),
            created: row.get("created"),
        })
    };
    rows.iter().map(summary).collect()
}

/// A standing order about which something is to be done.
#[derive(Debug, Clone, Copy)]
pub struct Due {
    /// Which one.
    pub id: StandingOrderId,
    /// Since when.
    pub due_on: Date,
    /// The last event that changed what comes next.
    pub changed: i64,
}

/// Standing orders about which something is to be done, longest due first; those that follow `after`.
pub async fn due(
    client: &Client,
    today: Date,
    after: Option<&Due>,
    limit: usize,
) -> Result<Vec<Due>, ReadError> {
    let (day, id) = after.map(|after| (after.due_on, after.id.0)).unzip();
    let rows = client.query(DUE, &[&today, &day, &id, &limit_of(limit)]).await?;
    let due = |row: &Row| Due {
        id: StandingOrderId(row.get("id")),
        due_on: row.get("due_on"),
        changed: row.get("changed"),
    };
    Ok(rows.iter().map(due).collect())
}

fn orders(row: &Row) -> Result<u32, ReadError> {
    u32::try_from(row.get::<_, i64>("orders")).map_err(|_| ReadError::Malformed)
}

fn run_of(row: &Row) -> Result<Run, ReadError> {
    Ok(Run {
        date: row.get("date"),
        on: row.get("dealt_on"),
        outcome: word(row, "outcome")?,
        order: row.get::<_, Option<Uuid>>("order_id").map(OrderId),
        reasons: json(row, "reasons")?,
        left_out: json(row, "left_out")?,
    })
}

fn standing_order_of(row: &Row, runs: Vec<Run>) -> Result<StandingOrder, ReadError> {
    let (company, orders) = (CompanyId(row.get("company_id")), orders(row)?);
    let (plan, mut dates): (Plan, BTreeMap<Date, DateChange>) =
        (json(row, "plan")?, json(row, "dates")?);
    // Of skipped dates no event says that they are over.
    let last = runs.first().map(|run| run.date);
    dates.retain(|date, _| last.is_none_or(|last| *date > last));
    let next: Option<Next> = json_or_none(row, "next")?;
    let upcoming = next.map(|next| {
        let after = next.date.saturating_sub(1.day());
        let (plan, dates) = (plan.clone(), dates.clone());
        upcoming_of(&Ongoing { company, plan, after, dates, orders, announced: None })
    });
    Ok(StandingOrder {
        id: StandingOrderId(row.get("id")),
        company,
        status: word(row, "status")?,
        plan,
        dates,
        orders,
        next,
        upcoming: upcoming.unwrap_or_default(),
        runs,
        ended_by: word_or_none(row, "ended_by")?,
        reason: row.get("reason"),
        started_on: row.get("started_on"),
    })
}

fn upcoming_of(ongoing: &Ongoing) -> Vec<Upcoming> {
    let of_run = |run: standing_order::Run<'_>| Upcoming {
        date: run.date,
        on: run.on,
        lines: run.has_own_lines.then(|| run.lines.to_vec()),
    };
    ongoing.upcoming().take(UPCOMING).map(of_run).collect()
}
