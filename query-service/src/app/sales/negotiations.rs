//! Negotiations and their rounds, as each side sees them.

pub(super) mod history;

use domain::{Side, negotiation::Difference};
use event_log::At;
use jiff::Timestamp;
use projections::views::sales::negotiations::{self, Filter, Negotiation, Status};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::permissions::ReadNegotiations;
use service_kit::{
    access::Role,
    page::{Listing, Page},
    problem::{FieldError, Problem, StatusCode},
};
use uuid::Uuid;

use self::history::HistoryQuery;
pub use self::history::{Entry, NegotiationHistory, Waiting};
use crate::{
    Queries,
    app::one_more,
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[negotiations::PROJECTION.name];

/// Which negotiations to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only this company.
    pub company: Option<Uuid>,
    /// Only this status.
    pub status: Option<Status>,
    /// Only those in which this side must answer.
    pub turn: Option<Side>,
    /// Only this offer.
    pub offer: Option<Uuid>,
}

/// Negotiations, newest first.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { company, status, turn, offer } }: Listing<List>,
) -> Result<Page<Negotiation>, Problem> {
    asker.require::<ReadNegotiations>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let company = asker.narrowed(company)?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { id: None, company, status, turn, offer };
    let items =
        negotiations::list(&client, &filter, cursor, one_more(limit)).await.map_err(problem)?;
    Ok(Page::of(items, limit, |item| item.created))
}

/// The time, and the side whose view is shown.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// The state at this time; now when not given.
    pub at: Option<Timestamp>,
    /// The view of this side; only auditors and the seller's admin may choose the buyer's.
    #[serde(rename = "as")]
    pub eyes: Option<Side>,
}

/// A negotiation with a page of its timeline, now or as one side saw it at a time.
pub async fn show(
    queries: &Queries,
    asker: &Asker,
    id: Uuid,
    Listing { page, filter: Show { at, eyes } }: Listing<Show>,
) -> Result<NegotiationHistory, Problem> {
    asker.require::<ReadNegotiations>()?;
    let (entries, after) = page.read()?;
    let query =
        HistoryQuery { entries, after: after.unwrap_or_default(), ..HistoryQuery::default() };
    let moment = (at.map_or(At::Now, At::Instant), eyes_of(asker, eyes)?);
    history_of(queries, asker, id, moment, query).await
}

/// The negotiation, if the asker may see it.
async fn history_of(
    queries: &Queries,
    asker: &Asker,
    id: Uuid,
    moment: (At, Side),
    query: HistoryQuery,
) -> Result<NegotiationHistory, Problem> {
    let history = NegotiationHistory::of(queries, asker, id, moment, query).await?;
    asker.narrowed(Some(history.company().0))?;
    Ok(history)
}

/// The side whose view is shown.
fn eyes_of(asker: &Asker, wanted: Option<Side>) -> Result<Side, Problem> {
    let own = if asker.company().is_some() { Side::Buyer } else { Side::Seller };
    let sees_both = own == Side::Seller && matches!(asker.role(), Role::Admin | Role::Auditor);
    match wanted {
        None => Ok(own),
        Some(side) if side == own || sees_both => Ok(side),
        Some(_) => Err(Problem::new(StatusCode::FORBIDDEN, "negotiation.other_side").field(
            FieldError::parameter("as", "the internal steps of the other side are not visible"),
        )),
    }
}

/// The rounds to compare.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Between {
    /// The earlier round; 0 is the offer of the seller.
    pub from: u32,
    /// The later round; the last one when not given.
    pub to: Option<u32>,
}

/// The differences between two rounds.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NegotiationDifferences")]
pub struct Differences {
    /// The earlier round.
    pub from: u32,
    /// The later round.
    pub to: u32,
    /// The points that differ.
    pub items: Vec<Difference>,
}

/// The differences between two rounds of a negotiation.
pub async fn differences(
    queries: &Queries,
    asker: &Asker,
    id: Uuid,
    Between { from, to }: Between,
) -> Result<Differences, Problem> {
    asker.require::<ReadNegotiations>()?;
    let moment = (At::Now, eyes_of(asker, None)?);
    let query =
        HistoryQuery { rounds: [from].into_iter().chain(to).collect(), ..HistoryQuery::default() };
    let history = history_of(queries, asker, id, moment, query).await?;
    let last = history.rounds();
    let to = to.unwrap_or(last);
    let table = |round: u32, parameter: &'static str| {
        history.table_after(round).ok_or_else(|| {
            let detail = format!("there were {last} rounds");
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "query.invalid")
                .field(FieldError::parameter(parameter, detail))
        })
    };
    let items = table(from, "from")?.differences(table(to, "to")?);
    Ok(Differences { from, to, items })
}
