//! `/v1/offers`: what was proposed to whom, now and at any time before.

mod document;
mod origin;
mod then;

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use domain::{Currency, percent};
use jiff::Timestamp;
use projections::views::offers::{self, Filter, Offer, Revision, Status};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{
    input::{PathId, Query},
    page::{Page, PageRequest},
    problem::Problem,
};
use tokio_postgres::Client;
use uuid::Uuid;

use super::{one_more, only};
use crate::{
    Queries,
    asker::{Asker, By, Trade, problem},
};

const VIEWS: &[&str] = &[offers::PROJECTION.name];

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/offers",
            get_with(list, |o| {
                o.id("offer.list").summary("Offers, newest first; a buyer sees what was sent")
            }),
        )
        .api_route(
            "/v1/offers/{id}",
            get_with(show, |o| {
                o.id("offer.show")
                    .summary("One offer, as it is or as the asker saw it at an instant")
            }),
        )
        .api_route(
            "/v1/offers/{id}/revisions",
            get_with(revisions, |o| {
                o.id("offer.revisions").summary("All that was sent of an offer, in order")
            }),
        )
        .api_route(
            "/v1/offers/{id}/pdf",
            get_with(document::pdf, |o| {
                o.id("offer.pdf").summary("A revision of an offer, to be read and printed")
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
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    Query(List { limit, cursor, company, status, representative }): Query<List>,
) -> Result<Json<Page<Offer>>, Problem> {
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
    let items = found(&queries, &client, &filter, cursor, one_more(limit)).await?;
    Ok(Json(Page::of(items, limit, |item| item.created)))
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
        Some(at) => then::offer(&queries, &asker, id, at).await?,
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
    let Json(offer) = only(found(queries, &client, &filter, None, 1).await?)?;
    Ok(offer)
}

/// Offers as whoever may see what the filter lets through is told them.
async fn found(
    queries: &Queries,
    client: &Client,
    filter: &Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Offer>, Problem> {
    let mut offers = offers::list(client, filter, cursor, limit).await.map_err(problem)?;
    if let Some(company) = filter.company.filter(|_| filter.sent_only) {
        origin::told(queries, company, &mut offers).await?;
    }
    Ok(offers)
}

/// The revisions of an offer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OfferRevisions")]
struct Revisions {
    /// The oldest first.
    items: Vec<Revision>,
}

async fn revisions(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    PathId(id): PathId,
) -> Result<Json<Revisions>, Problem> {
    one(&queries, &asker, id).await?;
    let client = asker.client(&queries, VIEWS).await?;
    Ok(Json(Revisions { items: offers::revisions(&client, id).await.map_err(problem)? }))
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
