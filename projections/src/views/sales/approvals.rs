//! `approvals`: approval requests with their answers and current approvers.

use domain::{
    CompanyId, EmployeeId, Event, Side,
    approval::{Decision, Pending, Request},
    negotiation, offer, order, sales,
};
use event_log::RecordedEvent;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError, aside, build,
    projection::change,
    row::{json, limit_of, name_of, word},
};

/// Requests by position: a new draft of an offer makes a new request.
pub const PROJECTION: Projection = Projection {
    name: "approvals",
    schema: "
        CREATE TABLE approvals (
            created bigint PRIMARY KEY,
            subject text NOT NULL,
            subject_id uuid NOT NULL,
            -- Whose people are asked; nothing where the seller asks itself.
            company_id uuid,
            status text NOT NULL DEFAULT 'open',
            request jsonb NOT NULL,
            decisions jsonb NOT NULL DEFAULT '[]',
            since timestamptz NOT NULL,
            is_escalated boolean NOT NULL DEFAULT false
        );
        CREATE INDEX ON approvals (subject_id);
        CREATE INDEX ON approvals (company_id, created);
        CREATE INDEX ON approvals (created) WHERE status = 'open'",
    tables: &["approvals"],
    reads: &["negotiation", "offer", "order"],
    aside: aside::stream,
    apply,
    build: build::APPROVALS,
};

const REQUEST: &str = "
    INSERT INTO approvals (created, subject, subject_id, company_id, request, since)
    VALUES ($1, $2, $3, $4, $5, $6)";
const DECIDE: &str = "
    UPDATE approvals SET decisions = decisions || $2, since = $3, is_escalated = false
    WHERE subject_id = $1 AND status = 'open'";
const ESCALATE: &str =
    "UPDATE approvals SET is_escalated = true WHERE subject_id = $1 AND status = 'open'";
const END: &str = "UPDATE approvals SET status = $2 WHERE subject_id = $1 AND status = 'open'";
const LIST: &str = "
    SELECT created, subject, subject_id, company_id, status, request, decisions, since, is_escalated
    FROM view.approvals
    WHERE ($1::uuid IS NULL OR subject_id = $1)
        AND (($2 AND company_id IS NULL) OR company_id IN (
            WITH RECURSIVE below AS (
                SELECT $3::uuid AS id
                UNION
                SELECT company.id
                FROM below JOIN view.companies company ON company.parent_id = below.id)
            SELECT id FROM below))
        AND ($4::text IS NULL OR status = $4)
        AND ($5::uuid IS NULL
            OR decisions @> jsonb_build_array(jsonb_build_object('by', $5::text)))
        AND ($6::bigint IS NULL OR created < $6)
    ORDER BY created DESC LIMIT $7";
const OVERDUE: &str = "
    SELECT created, subject, subject_id, jsonb_array_length(decisions) AS step
    FROM view.approvals
    WHERE status = 'open' AND NOT is_escalated AND since + make_interval(mins => (
        request -> 'steps' -> jsonb_array_length(decisions)
            -> 'escalation' ->> 'after_minutes')::integer) <= $1
        AND ($2::bigint IS NULL OR created > $2)
    ORDER BY created LIMIT $3";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Sales(event) = event else { return vec![] };
    match event {
        sales::Event::Negotiation(event) => of_negotiation(recorded, event),
        sales::Event::Offer(event) => of_offer(recorded, event),
        sales::Event::Order(event) => of_order(recorded, event),
        sales::Event::ApprovalRules(_)
        | sales::Event::CreditAccount(_)
        | sales::Event::OfferTemplate(_)
        | sales::Event::OrderReference(_)
        | sales::Event::QuotationRequest(_)
        | sales::Event::Spending(_)
        | sales::Event::StandingOrder(_)
        | sales::Event::Cart(_)
        | sales::Event::OrderList(_) => vec![],
    }
}

fn of_order(recorded: &RecordedEvent, event: &order::Event) -> Vec<Change> {
    let id = recorded.stream_id;
    match event {
        order::Event::ApprovalRequested { request } => {
            vec![requested(recorded, Subject::Order, recorded.company_id, request)]
        }
        order::Event::StepApproved { decision } => vec![decided(id, decision)],
        order::Event::StepEscalated { .. } => vec![change!(ESCALATE, id)],
        order::Event::Approved {} => vec![ended(id, Status::Approved)],
        order::Event::Refused { decision } => {
            vec![decided(id, decision), ended(id, Status::Refused)]
        }
        order::Event::Cancelled { .. } => vec![ended(id, Status::Void)],
        order::Event::Placed { .. }
        | order::Event::CreditHeld { .. }
        | order::Event::CreditReleased {}
        | order::Event::Confirmed {}
        | order::Event::DeliveryPromised { .. }
        | order::Event::PartShipped { .. }
        | order::Event::RestCancelled { .. }
        | order::Event::Shipped { .. } => vec![],
    }
}

fn of_offer(recorded: &RecordedEvent, event: &offer::Event) -> Vec<Change> {
    let id = recorded.stream_id;
    match event {
        offer::Event::ApprovalRequested { request } => {
            vec![requested(recorded, Subject::Offer, None, request)]
        }
        offer::Event::StepApproved { decision } => vec![decided(id, decision)],
        offer::Event::StepEscalated { .. } => vec![change!(ESCALATE, id)],
        offer::Event::Approved {} => vec![ended(id, Status::Approved)],
        offer::Event::Disapproved { decision } => {
            vec![decided(id, decision), ended(id, Status::Refused)]
        }
        // The document was drafted again or is closed.
        offer::Event::Drafted { .. }
        | offer::Event::Agreed { .. }
        | offer::Event::Accepted { .. }
        | offer::Event::Rejected { .. }
        | offer::Event::Withdrawn { .. }
        | offer::Event::Expired { .. } => vec![ended(id, Status::Void)],
        offer::Event::Sent { .. }
        | offer::Event::Viewed { .. }
        | offer::Event::NegotiationOpened { .. }
        | offer::Event::NegotiationEnded { .. }
        | offer::Event::Extended { .. } => vec![],
    }
}

fn of_negotiation(recorded: &RecordedEvent, event: &negotiation::Event) -> Vec<Change> {
    let id = recorded.stream_id;
    match event {
        negotiation::Event::ApprovalRequested { side, request, .. } => {
            let company = recorded.company_id.filter(|_| *side == Side::Buyer);
            vec![requested(recorded, Subject::Negotiation, company, request)]
        }
        negotiation::Event::StepApproved { decision, .. } => vec![decided(id, decision)],
        negotiation::Event::StepEscalated { .. } => vec![change!(ESCALATE, id)],
        negotiation::Event::Approved { .. } => vec![ended(id, Status::Approved)],
        negotiation::Event::Disapproved { decision, .. } => {
            vec![decided(id, decision), ended(id, Status::Refused)]
        }
        negotiation::Event::BrokenOff { .. }
        | negotiation::Event::Expired { .. }
        | negotiation::Event::Closed {} => vec![ended(id, Status::Void)],
        negotiation::Event::Opened { .. }
        | negotiation::Event::Proposed { .. }
        | negotiation::Event::ReopeningAsked { .. }
        | negotiation::Event::Reopened { .. }
        | negotiation::Event::Agreed { .. }
        | negotiation::Event::Resumed { .. }
        | negotiation::Event::Reminded { .. } => vec![],
    }
}

fn requested(
    recorded: &RecordedEvent,
    subject: Subject,
    company: Option<Uuid>,
    request: &Request,
) -> Change {
    change!(
        REQUEST,
        recorded.position.0.cast_signed(),
        name_of(&subject),
        recorded.stream_id,
        company,
        Json(request.clone()),
        request.at
    )
}

fn decided(id: Uuid, decision: &Decision) -> Change {
    change!(DECIDE, id, Json([decision.clone()]), decision.at)
}

fn ended(id: Uuid, status: Status) -> Change {
    change!(END, id, name_of(&status))
}

/// The kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ApprovalSubject")]
pub enum Subject {
    /// A company's order.
    Order,
    /// An offer of the seller.
    Offer,
    /// A proposed round of a negotiation.
    Negotiation,
}

/// The status of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ApprovalStatus")]
pub enum Status {
    /// A step awaits an answer.
    Open,
    /// All steps were approved.
    Approved,
    /// A step was refused.
    Refused,
    /// The document was drafted again or closed.
    Void,
}

/// An approval request.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Approval {
    /// The kind of document.
    pub subject: Subject,
    /// The id of the order, offer or negotiation.
    pub id: Uuid,
    /// The company of the approvers; missing for the seller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<CompanyId>,
    /// The status.
    pub status: Status,
    /// The requester, the reasons, and the approvers of each step.
    pub request: Request,
    /// The answers.
    pub decisions: Vec<Decision>,
    /// Since when the current step waits.
    pub since: Timestamp,
    /// Whether its time limit has passed and more approvers were added.
    pub is_escalated: bool,
    /// The position of the request; lists are sorted by it, newest first.
    #[serde(skip)]
    pub created: i64,
}

impl Approval {
    /// The pending request for the domain; `None` if it is not open.
    pub fn pending(&self) -> Option<Pending> {
        let Self { request, decisions, since, is_escalated, .. } = self.clone();
        (self.status == Status::Open).then_some(Pending { request, decisions, since, is_escalated })
    }
}

/// Which requests to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only this order, offer or negotiation.
    pub subject: Option<Uuid>,
    /// Only requests of the seller.
    pub sellers: bool,
    /// Only requests of this company and of the companies below it.
    pub company: Option<Uuid>,
    /// Only this status.
    pub status: Option<Status>,
    /// Only requests that this employee answered.
    pub decided_by: Option<EmployeeId>,
}

/// Requests, newest first, before `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    filter: &Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Approval>, ReadError> {
    let Filter { subject, sellers, company, status, decided_by } = filter;
    let (status, decided_by) = (status.as_ref().map(name_of), decided_by.map(Uuid::from));
    let rows = client
        .query(LIST, &[subject, sellers, company, &status, &decided_by, &cursor, &limit])
        .await?;
    rows.iter().map(approval_of).collect()
}

/// A request whose step is overdue.
#[derive(Debug, Clone, Copy)]
pub struct Overdue {
    /// The position of the request.
    pub created: i64,
    /// The kind of document; `None` if this build does not know it.
    pub subject: Option<Subject>,
    /// The id of the document.
    pub id: Uuid,
    /// The overdue step, counted from 1.
    pub step: i32,
}

/// Requests whose step is overdue, oldest first, after `after`.
pub async fn overdue(
    client: &Client,
    now: Timestamp,
    after: Option<&Overdue>,
    limit: usize,
) -> Result<Vec<Overdue>, ReadError> {
    let after = after.map(|after| after.created);
    let rows = client.query(OVERDUE, &[&now, &after, &limit_of(limit)]).await?;
    let overdue = |row: &Row| Overdue {
        created: row.get("created"),
        subject: word(row, "subject").ok(),
        id: row.get("subject_id"),
        step: row.get::<_, i32>("step") + 1,
    };
    Ok(rows.iter().map(overdue).collect())
}

fn approval_of(row: &Row) -> Result<Approval, ReadError> {
    Ok(Approval {
        created: row.get("created"),
        subject: word(row, "subject")?,
        id: row.get("subject_id"),
        company: row.get::<_, Option<Uuid>>("company_id").map(CompanyId),
        status: word(row, "status")?,
        request: json(row, "request")?,
        decisions: json(row, "decisions")?,
        since: row.get("since"),
        is_escalated: row.get("is_escalated"),
    })
}
