//! What was proposed to whom, now and at any time before.

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

/// Which offers.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Those of this company.
    pub company: Option<Uuid>,
    /// Those with this status.
    pub status: Option<Status>,
    /// Those that this employee of the seller looks after.
    pub representative: Option<Uuid>,
    /// The one with this number.
    pub number: Option<DocumentNumber>,
}

/// Offers without their lines, newest first; a buyer sees what was sent.
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

/// When.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// As the asker saw it then; now when not given.
    pub at: Option<Timestamp>,
}

/// An offer, with what the seller would earn by it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OfferDetails")]
pub struct Whole {
    /// The offer.
    #[serde(flatten)]
    pub offer: Offer,
    /// Only the seller sees it; missing where it has not said what everything costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<Margin>,
}

/// An offer, as it is or as the asker saw it at an instant.
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

/// How many revisions are read at once: each has all of its lines.
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

/// What the seller earns by what is needed of an offer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OfferMargin")]
pub struct Margin {
    /// What it costs the seller, net.
    pub cost: domain::Money,
    /// What is left of the price, net.
    pub earned: domain::Money,
    /// The share of the price that is left, in hundredths, rounded half up to one decimal place;
    /// missing where nothing is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<String>,
}

impl Margin {
    fn of(offer: &Offer) -> Option<Self> {
        let inside = offer.inside.as_ref()?;
        // What is written next has the costs that were said last.
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
