//! `/v1/approvals`: what waits for whose approval, and who has answered what.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State, http::StatusCode};
use domain::{CompanyId, EmployeeId, Side, approval::Speaker, negotiation, offer, order};
use event_log::At;
use projections::views::{
    parties::{companies, employees},
    sales::{
        approvals::{self, Approval, Filter, Status, Subject},
        offers, orders,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{
    input::{PathId, Query},
    page::{Page, PageRequest},
    problem::{FieldError, Problem},
};
use tokio_postgres::Client;

use super::negotiations::history::{Story, Wish};
use crate::{
    Queries,
    asker::{Asker, By, People, problem},
    http::{one_more, only},
};

const VIEWS: &[&str] = &[
    approvals::PROJECTION.name,
    companies::PROJECTION.name,
    employees::PROJECTION.name,
    offers::PROJECTION.name,
    orders::PROJECTION.name,
];

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/approvals",
            get_with(list, |o| {
                o.id("approval.list").summary(
                    "List approval requests of one's own company and those below it, newest first",
                )
            }),
        )
        .api_route(
            "/v1/approvals/{id}",
            get_with(show, |o| {
                o.id("approval.show").summary(
                    "Show the latest approval request about an order, an offer or a negotiation",
                )
            }),
        )
}

/// Which requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "OwnApprovals")]
enum Mine {
    /// Those that wait for the asker, also for somebody who is away.
    Waiting,
    /// Those that the asker answered.
    Decided,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// Those with this status.
    status: Option<Status>,
    /// Only the asker's own: those that wait for them, or that they decided.
    mine: Option<Mine>,
}

/// How many requests are looked at for those that wait for somebody.
const PAGE: i64 = 500;

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<People>,
    Query(List { limit, cursor, status, mine }): Query<List>,
) -> Result<Json<Page<Approval>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let client = asker.client(&queries, VIEWS).await?;
    let filter = Filter {
        sellers: asker.company().is_none(),
        company: asker.company(),
        status,
        ..Filter::default()
    };
    let items = match mine {
        None => {
            approvals::list(&client, &filter, cursor, one_more(limit)).await.map_err(problem)?
        }
        Some(Mine::Decided) => {
            let filter = Filter { decided_by: Some(employee(&asker)?), ..filter };
            approvals::list(&client, &filter, cursor, one_more(limit)).await.map_err(problem)?
        }
        Some(Mine::Waiting) => {
            let filter = Filter { status: Some(Status::Open), ..filter };
            waiting(&queries, &client, employee(&asker)?, &filter, cursor, limit).await?
        }
    };
    Ok(Json(Page::of(items, limit, |item| item.created)))
}

fn employee(asker: &Asker) -> Result<EmployeeId, Problem> {
    asker.employee().ok_or_else(|| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "approval.needs_employee")
            .field(FieldError::parameter("mine", "ask with a key that was made for an employee"))
    })
}

/// Those of the requests that somebody may answer now: the domain says which.
async fn waiting(
    queries: &Queries,
    client: &Client,
    id: EmployeeId,
    filter: &Filter,
    mut cursor: Option<i64>,
    limit: usize,
) -> Result<Vec<Approval>, Problem> {
    let today = queries.clock.today();
    let own = employees::Filter { id: Some(id.0), ..employees::Filter::default() };
    let own = employees::list(client, own, None, 1).await.map_err(problem)?;
    let Some(by) = own.first().and_then(employees::Employee::person) else { return Ok(vec![]) };
    let absent = employees::replaced_by(client, id, today).await.map_err(problem)?;
    let absent = absent.iter().filter_map(employees::Employee::person).collect();
    let mut speaker = Speaker { by, absent, gone: vec![], today };
    let mut found = Vec::new();
    loop {
        let items = approvals::list(client, filter, cursor, PAGE).await.map_err(problem)?;
        let Some(last) = items.last() else { return Ok(found) };
        cursor = Some(last.created);
        let open = |item: Approval| item.pending().map(|pending| (item, pending));
        let items: Vec<_> = items.into_iter().filter_map(open).collect();
        let named: Vec<_> = items.iter().flat_map(|(_, pending)| pending.named()).collect();
        speaker.gone = employees::gone(client, &named).await.map_err(problem)?;
        for (item, pending) in items {
            // The list has those of the asker's firm and of firms below it, and nobody else's: the
            // asker, and whoever they stand in for, work for one of the firms that may answer.
            let firms: Vec<CompanyId> = match item.company {
                Some(company) => [company].into_iter().chain(speaker.by.company).collect(),
                None => vec![],
            };
            if pending.power_of(&speaker, &firms).is_ok() {
                found.push(item);
            }
            if found.len() > limit {
                return Ok(found);
            }
        }
    }
}

/// A request, with what it is about.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ApprovalDetails")]
struct Whole {
    #[serde(flatten)]
    approval: Approval,
    /// What is ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<order::Terms>,
    /// What is offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    offer: Option<offer::Proposal>,
    /// What would be proposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    round: Option<negotiation::Round>,
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<People>,
    PathId(id): PathId,
) -> Result<Json<Whole>, Problem> {
    let client = asker.client(&queries, VIEWS).await?;
    let filter = Filter {
        subject: Some(id),
        sellers: asker.company().is_none(),
        company: asker.company(),
        ..Filter::default()
    };
    let Json(approval) = only(approvals::list(&client, &filter, None, 1).await.map_err(problem)?)?;
    let (mut order, mut offer, mut round) = (None, None, None);
    match approval.subject {
        Subject::Order => {
            let filter = orders::Filter { id: Some(id), ..orders::Filter::default() };
            let found = orders::list(&client, &filter, None, 1).await.map_err(problem)?;
            order = found.into_iter().next().map(|order| order.terms);
        }
        Subject::Offer => {
            let filter = offers::Filter { id: Some(id), ..offers::Filter::default() };
            let found = offers::list(&client, &filter, None, 1).await.map_err(problem)?;
            // What is asked about is what is written, where something was sent before.
            offer = found.into_iter().next().map(|offer| {
                offer.inside.and_then(|inside| inside.draft).unwrap_or(offer.proposal)
            });
        }
        Subject::Negotiation => {
            let side = match approval.company {
                Some(_) => Side::Buyer,
                None => Side::Seller,
            };
            let moment = (At::Now, side);
            let story = Story::of(&queries, &asker, id, moment, Wish::default()).await?;
            round = story.awaiting_approval();
        }
    }
    Ok(Json(Whole { approval, order, offer, round }))
}
