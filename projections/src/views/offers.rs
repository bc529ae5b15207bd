//! `offers`: what was proposed to whom, and what became of it.

use domain::{Event, OfferId, OrderId, offer};
use event_log::RecordedEvent;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError,
    projection::change,
    row::{json, word},
};

/// Offers by id.
pub const PROJECTION: Projection = Projection {
    name: "offers",
    schema: "
        CREATE TABLE offers (
            id uuid PRIMARY KEY,
            company_id uuid NOT NULL,
            status text NOT NULL,
            -- Whether the company was ever told of it.
            sent boolean NOT NULL DEFAULT false,
            proposal jsonb NOT NULL,
            valid_until date NOT NULL,
            reason text,
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON offers (company_id, created);
        CREATE INDEX ON offers (valid_until) WHERE status = 'open'",
    tables: &["offers"],
    reads: &["offer"],
    apply,
};

const DRAFT: &str = "
    INSERT INTO offers (id, company_id, status, proposal, valid_until, created)
    VALUES ($1, $2, 'drafted', $3, $4, $5)
    ON CONFLICT (id) DO UPDATE SET status = 'drafted', proposal = $3, valid_until = $4";
const SEND: &str = "UPDATE offers SET status = 'open', sent = true WHERE id = $1";
const STATUS: &str = "UPDATE offers SET status = $2, reason = $3 WHERE id = $1";
const LIST: &str = "
    SELECT id, status, proposal, reason, created FROM view.offers
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR company_id = $2)
        AND (NOT $3 OR sent) AND ($4::text IS NULL OR status = $4)
        AND ($5::bigint IS NULL OR created < $5)
    ORDER BY created DESC LIMIT $6";
const LAPSED: &str = "
    SELECT id FROM view.offers WHERE status = 'open' AND valid_until < $1
    ORDER BY valid_until LIMIT 1000";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Offer(event) = event else { return vec![] };
    let id = recorded.stream_id;
    let status = |status: &'static str| vec![change!(STATUS, id, status, None::<String>)];
    match event {
        offer::Event::Drafted { proposal, .. } => vec![change!(
            DRAFT,
            id,
            proposal.company.0,
            Json(proposal.clone()),
            proposal.valid_until,
            recorded.position.0.cast_signed()
        )],
        offer::Event::ApprovalRequested { .. } => status("awaiting_approval"),
        offer::Event::StepApproved { .. } | offer::Event::StepEscalated { .. } => vec![],
        offer::Event::Approved {} => status("approved"),
        offer::Event::Disapproved { .. } => status("drafted"),
        offer::Event::Sent { .. } => vec![change!(SEND, id)],
        offer::Event::Accepted { .. } => status("accepted"),
        offer::Event::Rejected { reason, .. } => {
            vec![change!(STATUS, id, "rejected", reason.as_ref().map(ToString::to_string))]
        }
        offer::Event::Withdrawn {} => status("withdrawn"),
        offer::Event::Expired { .. } => status("expired"),
    }
}

/// An offer and what became of it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Offer {
    /// Its id.
    pub id: OfferId,
    /// What became of it.
    pub status: Status,
    /// What it says.
    #[serde(flatten)]
    pub proposal: offer::Proposal,
    /// Why the company said no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The order that its acceptance places.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// Where in the log it was drafted; lists are in this order, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// What became of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The company does not see it yet.
    Drafted,
    /// Others at the seller must agree before it is sent.
    AwaitingApproval,
    /// They agreed; it is not sent yet.
    Approved,
    /// It waits for the company's answer.
    Open,
    /// The company said yes.
    Accepted,
    /// The company said no.
    Rejected,
    /// The seller took it back.
    Withdrawn,
    /// Its date passed.
    Expired,
}

/// Which offers are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter<'a> {
    /// This one.
    pub id: Option<Uuid>,
    /// Those of this company.
    pub company: Option<Uuid>,
    /// Not those that were never sent, withdrawn or not, as buyers see it.
    pub sent_only: bool,
    /// Those with this status.
    pub status: Option<&'a str>,
}

/// Offers, newest first, from before `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    filter: &Filter<'_>,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Offer>, ReadError> {
    let Filter { id, company, sent_only, status } = filter;
    let rows = client.query(LIST, &[id, company, sent_only, status, &cursor, &limit]).await?;
    rows.iter().map(offer_of).collect()
}

/// Offers that are open although their last day is over; at most a thousand at a time.
pub async fn lapsed(client: &Client, today: Date) -> Result<Vec<OfferId>, ReadError> {
    let rows = client.query(LAPSED, &[&today]).await?;
    Ok(rows.iter().map(|row| OfferId(row.get(0))).collect())
}

fn offer_of(row: &Row) -> Result<Offer, ReadError> {
    let (id, status) = (OfferId(row.get(0)), word(row, 1)?);
    Ok(Offer {
        id,
        status,
        proposal: json(row, 2)?,
        reason: row.get(3),
        order: (status == Status::Accepted).then(|| OrderId::of_offer(id)),
        created: row.get(4),
    })
}
