//! Offers, now and at a past time.

mod as_of;
mod document;
mod origin;

use domain::{Currency, percent};
use jiff::Timestamp;
use projections::{
    DocumentNumber,
    views::sales::offers::{self, Filter, Offer, OfferSummary, Revision, Status},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::permissions::ReadTrade;
use service_kit::{
    page::{Listing, Page, PageRequest},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    app::{before, numbered, one_more, only},
    asker::{Asker, problem},
};

pub use self::document::{Document, DocumentQuery, document};

const VIEWS: &[&str] = &[offers::PROJECTION.name];

/// Which offers to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only this company.
    pub company: Option<Uuid>,
    /// Only this status.
    pub status: Option<Status>,
    /// Only offers of this representative.
    pub representative: Option<Uuid>,
    /// Only this number.
    pub number: Option<DocumentNumber>,
}

/// Offers without their lines, newest first; a buyer sees the sent ones.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { company, status, representative, number } }: Listing<List>,
) -> Result<Page<OfferSummary>, Problem> {
    asker.require::<ReadTrade>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let company = asker.narrowed(company)?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter {
        company,
        sent_only: asker.company().is_some(),
        status,
        representative,
        ..Filter::default()
    };
    let items = offers::summaries(&client, &filter, before(number, cursor), one_more(limit)).await;
    let mut items = items.map_err(problem)?;
    if let Some(company) = asker.company() {
        origin::redacted(queries, company, items.iter_mut().map(|offer| &mut offer.origin)).await?;
    }
    Ok(numbered(items, limit, number, |item| (item.number, item.created)))
}

/// The time.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// The state as the asker saw it at this time; now when not given.
    pub at: Option<Timestamp>,
}

/// An offer with the seller's margin.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OfferDetails")]
pub struct Whole {
    /// The offer.
    #[serde(flatten)]
    pub offer: Offer,
    /// The margin, shown only to the seller; missing unless the costs of all lines are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<Margin>,
}

/// An offer, now or as the asker saw it at a time.
pub async fn show(
    queries: &Queries,
    asker: &Asker,
    id: Uuid,
    Show { at }: Show,
) -> Result<Whole, Problem> {
    asker.require::<ReadTrade>()?;
    let offer = match at {
        Some(at) => as_of::offer(queries, asker, id, at).await?,
        None => one(queries, asker, id).await?,
    };
    let margin = Margin::of(&offer);
    Ok(Whole { offer, margin })
}

async fn one(queries: &Queries, asker: &Asker, id: Uuid) -> Result<Offer, Problem> {
    let company = asker.company();
    let client = asker.client(queries, VIEWS).await?;
    let filter =
        Filter { id: Some(id), company, sent_only: company.is_some(), ..Filter::default() };
    let mut offer = only(offers::list(&client, &filter, None, 1).await.map_err(problem)?)?;
    if let Some(company) = company {
        origin::redacted(queries, company, std::iter::once(&mut offer.origin)).await?;
    }
    Ok(offer)
}

/// The number of revisions per page: each has all of its lines.
const REVISIONS: usize = 10;

/// The revisions of an offer, in order.
pub async fn revisions(
    queries: &Queries,
    asker: &Asker,
    id: Uuid,
    page: PageRequest,
) -> Result<Page<Revision>, Problem> {
    asker.require::<ReadTrade>()?;
    let (limit, cursor) = page.read::<u32>()?;
    let limit = limit.min(REVISIONS);
    one(queries, asker, id).await?;
    let client = asker.client(queries, VIEWS).await?;
    let items = offers::revisions(&client, id, cursor, one_more(limit)).await;
    Ok(Page::of(items.map_err(problem)?, limit, |revision| revision.stamp.number))
}

/// The seller's margin on the required lines of an offer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OfferMargin")]
pub struct Margin {
    /// The net cost to the seller.
    pub cost: domain::Money,
    /// The net margin.
    pub earned: domain::Money,
    /// The margin in percent of the price, rounded half up to one decimal place; missing if the
    /// price is zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<String>,
}

impl Margin {
    fn of(offer: &Offer) -> Option<Self> {
        let inside = offer.inside.as_ref()?;
        // The draft of the next revision has the costs of the last one.
        let proposal = inside.draft.as_ref().unwrap_or(&offer.proposal);
        let costs = &inside.inside.unit_costs;
        let currency: Currency = proposal.currency;
        let net = proposal.net().ok()?;
        let needed =
            proposal.lines.iter().filter(|line| line.choice == domain::offer::Choice::Needed);
        let of_line = |domain::offer::OfferedLine { line, .. }: &domain::offer::OfferedLine| {
            let cost = costs.get(&line.product)?.amount().checked_mul(line.quantity.units())?;
            Some(currency.round_half_up(cost))
        };
        let costs: Option<Vec<_>> = needed.map(of_line).collect();
        let zero = domain::Money::zero(currency);
        let cost = costs?.into_iter().try_fold(zero, domain::Money::plus).ok()?;
        let earned = net.minus(cost).ok()?;
        let percent = percent::share(earned.amount(), net.amount()).map(|share| share.to_string());
        Some(Self { cost, earned, percent })
    }
}
