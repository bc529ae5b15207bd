//! Orders that are late, or are about to be.

use domain::working_days::add_working_days;
use jiff::civil::Date;
use projections::views::sales::orders::{self, OrderSummary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::permissions::ReadTrade;
use service_kit::{
    page::{Listing, Page},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    app::{invalid, one_more},
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[orders::PROJECTION.name];
/// How many working days before the promised day an order is shown when nothing is said.
const WITHIN: u8 = 2;
/// How many at most.
const MOST: u8 = 60;

/// Which orders.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ListLateOrders")]
pub struct List {
    /// Those of this company.
    pub company: Option<Uuid>,
    /// Also those that are promised within so many working days, 0 to 60; 2 when not given.
    pub within: Option<u8>,
}

/// An order of which goods are to leave although the promised day is near or over.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LateOrder {
    /// Whether the promised day is over.
    pub is_late: bool,
    /// The order.
    #[serde(flatten)]
    pub order: OrderSummary,
}

/// Orders of which goods are to leave and the promised day is near or over, the earliest first.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { company, within } }: Listing<List>,
) -> Result<Page<LateOrder>, Problem> {
    asker.require::<ReadTrade>()?;
    let (limit, cursor) = page.read::<(Date, i64)>()?;
    let company = asker.narrowed(company)?;
    let within = within.unwrap_or(WITHIN);
    if within > MOST {
        return Err(invalid("within", format!("must be 0 to {MOST} working days")));
    }
    let today = queries.clock.today();
    let until = add_working_days(today, within.into());
    let client = asker.client(queries, VIEWS).await?;
    let found = orders::late(&client, until, company, cursor, one_more(limit)).await;
    let late = |order: OrderSummary| {
        let is_late = order.promised_on.is_some_and(|day| day < today);
        LateOrder { is_late, order }
    };
    let items = found.map_err(problem)?.into_iter().map(late).collect();
    Ok(Page::of(items, limit, |item: &LateOrder| (item.order.promised_on, item.order.created)))
}
