//! What waits for the asker's side, what waits for the other one, and what is about to expire.

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

/// How far ahead somebody may look for what expires.
const MOST_DAYS: u16 = 366;
const NEEDS_EMPLOYEE: &str = "inbox.needs_employee";

/// What of all that waits.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// What waits for the asker's own side, or for the other one; both when not given.
    pub waiting: Option<Waiting>,
    /// Only what is of this kind.
    pub kind: Option<Kind>,
    /// Only what ends within so many days, at most 366, or should have been answered already.
    pub about_to_expire: Option<u16>,
    /// With this company.
    pub company: Option<Uuid>,
    /// Only what the asker looks after or, in a company, has asked for or spoke in last.
    pub mine: Option<bool>,
}

/// Requests, offers and negotiations that wait for an answer, the oldest first.
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
