//! Tasks: items that await an answer of either side, and items that expire soon.

use jiff::ToSpan;
use projections::views::sales::{
    inboxes::{self, Filter, Item, Kind, Waiting},
    quotation_requests,
};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::ReadPeople;
use service_kit::{
    page::{Listing, Page},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    app::{invalid, one_more, own},
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[inboxes::PROJECTION.name, quotation_requests::PROJECTION.name];

/// The maximum number of days for `expiring`.
const MOST_DAYS: u16 = 366;
const NEEDS_EMPLOYEE: &str = "inbox.needs_employee";

/// Which items to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Those that await the asker's own side or the other side; both when not given.
    pub waiting: Option<Waiting>,
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only items that end within this number of days (at most 366), or whose answer is overdue.
    pub about_to_expire: Option<u16>,
    /// Only this company.
    pub company: Option<Uuid>,
    /// Only items assigned to the asker or, in a company, requested or last answered by the asker.
    pub mine: Option<bool>,
}

/// Quotation requests, offers and negotiations that await an answer, the oldest first.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter }: Listing<List>,
) -> Result<Page<Item>, Problem> {
    asker.require::<ReadPeople>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let List { waiting, kind, about_to_expire, company, mine } = filter;
    let until = match about_to_expire {
        None => None,
        Some(days @ 0..=MOST_DAYS) => {
            Some(queries.clock.today().saturating_add(i64::from(days).days()))
        }
        Some(_) => {
            let detail = format!("must be 0 to {MOST_DAYS}");
            return Err(invalid("about_to_expire", detail));
        }
    };
    let filter = Filter {
        side: asker.side(),
        company: asker.narrowed(company)?,
        waiting,
        kind,
        until,
        employee: if mine == Some(true) { Some(own(asker, NEEDS_EMPLOYEE)?.0) } else { None },
    };
    let client = asker.client(queries, VIEWS).await?;
    let items = inboxes::list(&client, filter, cursor, one_more(limit)).await.map_err(problem)?;
    Ok(Page::of(items, limit, |item| item.position))
}
