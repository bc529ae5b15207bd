//! `/v1/offers`: what was proposed to whom, now and at any time before.

mod as_of;
mod document;
mod origin;

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use domain::{Currency, percent};
use jiff::Timestamp;
use projections::{
    DocumentNumber,
    views::sales::offers::{self, Filter, Offer, OfferSummary, Revision, Status},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{
    input::{PathId, Query},
    page::{Page, PageRequest},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    asker::{Asker, By, Trade, problem},
    http::{before, numbered, one_more, only},
};

const VIEWS: &[&str] = &[offers::PROJECTION.name];

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/offers",
            get_with(list, |o| {
                o.id("offer.list")
                    .summary("Offers without their lines, newest first; a buyer sees what was sent")
            }),
        )
        .api_route(
            "/v1/offers/{id}",
            get_with(show, |o| {
                o.id("offer.show")
                    .summary("Show an offer, as it is or as the asker saw it at an instant")
            }),
        )
        .api_route(
            "/v1/offers/{id}/revisions",
            get_with(revisions, |o| {
                o.id("offer.revisions").summary("List the revisions of an offer, in order")
            }),
        )
        .api_route(
            "/v1/offers/{id}/pdf",
            get_with(document::pdf, |o| {
                o.id("offer.pdf").summary("Show a revision of an offer as PDF")
            }),
        )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// Those of this company.
    company: Option<Uuid>,
    /// Those with this status.
    status: Option<Status>,
    /// Those that this employee of the seller looks after.
    representative: Option<Uuid>,
    /// The one with this number.
    number: Option<DocumentNumber>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    Query(List { limit, cursor, company, status, representative, number }): Query<List>,
) -> Result<Json<Page<OfferSummary>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let company = asker.narrowed(company)?;
    let client = asker.client(&queries, VIEWS).await?;
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
        origin::told(&queries, company, items.iter_mut().map(|offer| &mut offer.origin)).await?;
    }
    Ok(Json(numbered(items, limit, number, |item| (item.number, item.created))))
}

/// When.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Show {
    /// As the asker saw it then; now when not given.
    at: Option<Timestamp>,
}

/// An offer, with what the seller would earn by it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OfferDetails")]
struct Whole {
    #[serde(flatten)]
    offer: Offer,
    /// Only the seller sees it; missing where it has not said what everything costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    margin: Option<Margin>,
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    PathId(id): PathId,
    Query(Show { at }): Query<Show>,
) -> Result<Json<Whole>, Problem> {
    let offer = match at {
        Some(at) => as_of::offer(&queries, &asker, id, at).await?,
        None => one(&queries, &asker, id).await?,
    };
    let margin = Margin::of(&offer);
    Ok(Json(Whole { offer, margin }))
}

async fn one(queries: &Queries, asker: &Asker, id: Uuid) -> Result<Offer, Problem> {
    let company = asker.company();
    let client = asker.client(queries, VIEWS).await?;
    let filter =
        Filter { id: Some(id), company, sent_only: company.is_some(), ..Filter::default() };
    let found = offers::list(&client, &filter, None, 1).await.map_err(problem)?;
    let Json(mut offer) = only(found)?;
    if let Some(company) = company {
        origin::told(queries, company, std::iter::once(&mut offer.origin)).await?;
    }
    Ok(offer)
}

/// Which revisions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListRevisions {
    limit: Option<u16>,
    cursor: Option<String>,
}

/// How many revisions are read at once: each has all of its lines.
const REVISIONS: usize = 10;

async fn revisions(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    PathId(id): PathId,
    Query(ListRevisions { limit, cursor }): Query<ListRevisions>,
) -> Result<Json<Page<Revision>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?.min(REVISIONS), page.cursor::<u32>()?);
    one(&queries, &asker, id).await?;
    let client = asker.client(&queries, VIEWS).await?;
    let items = offers::revisions(&client, id, cursor, one_more(limit)).await;
    Ok(Json(Page::of(items.map_err(problem)?, limit, |revision| revision.stamp.number)))
}

/// What the seller earns by what is needed of an offer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OfferMargin")]
struct Margin {
    /// What it costs the seller, net.
    cost: domain::Money,
    /// What is left of the price, net.
    earned: domain::Money,
    /// The share of the price that is left, in hundredths, rounded half up to one decimal place;
    /// missing where nothing is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<String>,
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
