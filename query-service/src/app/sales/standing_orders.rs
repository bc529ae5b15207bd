//! What companies order again and again.

use domain::standing_order::Schedule;
use jiff::{ToSpan, civil::Date};
use projections::views::sales::standing_orders::{
    self, Filter, StandingOrder, StandingOrderSummary, Status,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::permissions::{Ordering, ReadTrade};
use service_kit::{
    page::{Listing, Page},
    problem::{FieldError, Problem, StatusCode},
};
use uuid::Uuid;

use crate::{
    Queries,
    app::{invalid, one_more},
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[standing_orders::PROJECTION.name];

/// Which standing orders.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ListStandingOrders")]
pub struct List {
    /// Those of this company.
    pub company: Option<Uuid>,
    /// Those with this status.
    pub status: Option<Status>,
}

/// Standing orders without their lines, newest first.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { company, status } }: Listing<List>,
) -> Result<Page<StandingOrderSummary>, Problem> {
    asker.require::<ReadTrade>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let company = asker.narrowed(company)?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { company, status };
    let items = standing_orders::summaries(&client, &filter, cursor, one_more(limit)).await;
    Ok(Page::of(items.map_err(problem)?, limit, |item| item.created))
}

/// One standing order.
pub async fn show(queries: &Queries, asker: &Asker, id: Uuid) -> Result<StandingOrder, Problem> {
    asker.require::<ReadTrade>()?;
    let client = asker.client(queries, VIEWS).await?;
    let found = standing_orders::find(&client, id, asker.company()).await.map_err(problem)?;
    found.ok_or_else(Problem::not_found)
}

/// Which dates a schedule would have.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PreviewSchedule")]
pub struct Preview {
    /// The schedule as JSON, as a standing order has it.
    pub schedule: String,
    /// Dates after this day; from the first day of the schedule when missing.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub after: Option<Date>,
    /// How many: 1 to 60, 12 when missing.
    pub count: Option<u16>,
}

/// The dates that a schedule would have.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "SchedulePreview")]
pub struct Dates {
    /// The dates, moved off non-working days as the schedule says.
    #[schemars(with = "Vec<String>")]
    pub dates: Vec<Date>,
}

/// The dates that a schedule would have, before a standing order is made of it.
pub fn preview(
    asker: &Asker,
    Preview { schedule, after, count }: &Preview,
) -> Result<Dates, Problem> {
    asker.require::<Ordering>()?;
    let schedule: Schedule = serde_json::from_str(schedule)
        .map_err(|error| invalid("schedule", format!("is no schedule: {error}")))?;
    schedule.check().map_err(|error| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "standing_order.schedule")
            .detail(error.to_string())
            .field(FieldError::parameter("schedule", error.to_string()))
    })?;
    let count = usize::from(count.unwrap_or(12));
    if !(1..=60).contains(&count) {
        return Err(invalid("count", "must be 1 to 60"));
    }
    let after = after.unwrap_or_else(|| schedule.starts_on.saturating_sub(1.day()));
    let dates = schedule.dates_after(after).take(schedule.orders_left(0).min(count)).collect();
    Ok(Dates { dates })
}
