//! Approval requests: approvers and answers.

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
use service_kit::permissions::ReadPeople;
use service_kit::{
    page::{Listing, Page},
    problem::Problem,
};
use tokio_postgres::Client;
use uuid::Uuid;

use super::negotiations::history::{HistoryQuery, NegotiationHistory};
use crate::{
    Queries,
    app::{one_more, only, own},
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[
    approvals::PROJECTION.name,
    companies::PROJECTION.name,
    employees::PROJECTION.name,
    offers::PROJECTION.name,
    orders::PROJECTION.name,
];

/// Which of the asker's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "OwnApprovals")]
pub enum Mine {
    /// Those that await the asker's answer, also as a substitute.
    Waiting,
    /// Those that the asker answered.
    Decided,
}

/// Which approval requests to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only this status.
    pub status: Option<Status>,
    /// Only those that await the asker's answer, or that the asker answered.
    pub mine: Option<Mine>,
}

/// The number of requests checked for those that await somebody's answer.
const PAGE: i64 = 500;
const NEEDS_EMPLOYEE: &str = "approval.needs_employee";

/// Approval requests of the asker's company and those below it, newest first.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { status, mine } }: Listing<List>,
) -> Result<Page<Approval>, Problem> {
    asker.require::<ReadPeople>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let client = asker.client(queries, VIEWS).await?;
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
            let filter = Filter { decided_by: Some(own(asker, NEEDS_EMPLOYEE)?), ..filter };
            approvals::list(&client, &filter, cursor, one_more(limit)).await.map_err(problem)?
        }
        Some(Mine::Waiting) => {
            let filter = Filter { status: Some(Status::Open), ..filter };
            waiting(queries, &client, own(asker, NEEDS_EMPLOYEE)?, &filter, cursor, limit).await?
        }
    };
    Ok(Page::of(items, limit, |item| item.created))
}

/// The requests that an employee may answer now, decided by the domain.
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
            // The list contains only requests of the asker's company and of companies below it, so
            // the asker works for a company that may answer.
            let companies: Vec<CompanyId> = match item.company {
                Some(company) => [company].into_iter().chain(speaker.by.company).collect(),
                None => vec![],
            };
            if pending.power_of(&speaker, &companies).is_ok() {
                found.push(item);
            }
            if found.len() > limit {
                return Ok(found);
            }
        }
    }
}

/// A request with the document that it concerns.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ApprovalDetails")]
pub struct Whole {
    /// The request.
    #[serde(flatten)]
    pub approval: Approval,
    /// The lines of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<order::Terms>,
    /// The lines of the offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<offer::Proposal>,
    /// The proposed round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round: Option<negotiation::Round>,
}

/// The latest approval request of an order, an offer or a negotiation.
pub async fn show(queries: &Queries, asker: &Asker, id: Uuid) -> Result<Whole, Problem> {
    asker.require::<ReadPeople>()?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter {
        subject: Some(id),
        sellers: asker.company().is_none(),
        company: asker.company(),
        ..Filter::default()
    };
    let approval = only(approvals::list(&client, &filter, None, 1).await.map_err(problem)?)?;
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
            // The request concerns the draft, even if a revision was sent before.
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
            let history =
                NegotiationHistory::of(queries, asker, id, moment, HistoryQuery::default()).await?;
            round = history.awaiting_approval();
        }
    }
    Ok(Whole { approval, order, offer, round })
}
