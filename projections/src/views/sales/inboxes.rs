//! `inboxes`: items that await an answer of the seller or of a company, since when and until when.

use domain::{
    CompanyId, EmployeeId, Event, OfferId, Side, negotiation, offer, quotation_request, sales,
};
use event_log::RecordedEvent;
use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use super::offers::request_of;
use crate::{
    Change, Projection, ReadError, aside, build,
    projection::change,
    row::{name_of, word},
};

/// Open items by id; the row is deleted when no answer is possible any more.
pub const PROJECTION: Projection = Projection {
    name: "inboxes",
    schema: "
        CREATE TABLE inboxes (
            id uuid PRIMARY KEY,
            kind text NOT NULL,
            company_id uuid NOT NULL,
            turn text NOT NULL,
            -- Not an offer while it is negotiated, nor talks that have stopped.
            waits boolean NOT NULL DEFAULT true,
            -- The offer that is negotiated.
            offer_id uuid,
            -- The request that an offer answers.
            request_id uuid,
            -- Who at the company asked, or spoke last.
            buyer uuid,
            representative uuid,
            -- The revision that was sent last: 0 while the company knows of none.
            revision integer,
            rounds integer,
            until date,
            seen_at timestamptz,
            -- Only the seller knows of what it is writing.
            is_written boolean NOT NULL DEFAULT false,
            next_until date,
            next_representative uuid,
            next_request_id uuid,
            -- The side whose superiors are asked: the other one does not know.
            asking text,
            since timestamptz NOT NULL,
            -- Where in the log it began to wait; nothing that one side alone knows moves it.
            position bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON inboxes (company_id, position);
        CREATE INDEX ON inboxes (offer_id)",
    tables: &["inboxes"],
    reads: &["negotiation", "offer", "quotation_request"],
    aside: aside::stream,
    apply,
    build: build::INBOXES,
};

const REQUEST: &str = "
    INSERT INTO inboxes (id, kind, company_id, turn, buyer, until, since, position)
    VALUES ($1, 'quotation_request', $2, 'seller', $3, $4, $5, $6)";
const ASSIGN: &str = "UPDATE inboxes SET representative = $2 WHERE id = $1";
const DRAFT: &str = "
    INSERT INTO inboxes (id, kind, company_id, turn, revision, representative, request_id, until,
        next_until, next_representative, next_request_id, is_written, since, position)
    VALUES ($1, 'offer', $2, 'seller', 0, $3, $4, $5, $5, $3, $4, true, $6, $7)
    ON CONFLICT (id) DO UPDATE SET next_until = $5, next_representative = $3,
        next_request_id = $4, is_written = true, asking = NULL,
        representative = CASE WHEN inboxes.revision = 0 THEN $3 ELSE inboxes.representative END,
        request_id = CASE WHEN inboxes.revision = 0 THEN coalesce($4, inboxes.request_id)
            ELSE inboxes.request_id END,
        until = CASE WHEN inboxes.revision = 0 THEN $5 ELSE inboxes.until END";
const SEND: &str = "
    UPDATE inboxes SET turn = 'buyer', revision = coalesce($2, revision + 1),
        until = coalesce(next_until, until), representative = next_representative,
        request_id = coalesce(next_request_id, request_id), next_until = NULL,
        next_representative = NULL, next_request_id = NULL, is_written = false, asking = NULL,
        seen_at = NULL, since = $3, position = $4
    WHERE id = $1";
const AGREE: &str = "
    UPDATE inboxes SET waits = true, turn = 'buyer', revision = $2, until = $3, next_until = NULL,
        next_representative = NULL, next_request_id = NULL, is_written = false, asking = NULL, seen_at = NULL, since = $4, position = $5
    WHERE id = $1";
const SEE: &str =
    "UPDATE inboxes SET seen_at = coalesce(seen_at, $3) WHERE id = $1 AND revision = $2";
const EXTEND: &str = "UPDATE inboxes SET until = $2 WHERE id = $1";
const ASK_SUPERIORS: &str = "UPDATE inboxes SET asking = $2 WHERE id = $1";
const OPEN_NEGOTIATION: &str = "UPDATE inboxes SET waits = false WHERE id = $1";
const GO_ON: &str = "UPDATE inboxes SET waits = true, since = $2, position = $3 WHERE id = $1";
const OPEN: &str = "
    INSERT INTO inboxes (id, kind, company_id, turn, offer_id, revision, rounds, buyer, since,
        position)
    VALUES ($1, 'negotiation', $2, $3, $4, $5, 0, $6, $7, $8)";
const PROPOSE: &str = "
    UPDATE inboxes SET turn = $2, rounds = $3, until = $4, buyer = coalesce($5, buyer),
        asking = NULL, since = $6, position = $7
    WHERE id = $1";
const STOP: &str = "UPDATE inboxes SET waits = false, until = NULL, asking = NULL WHERE id = $1";
const END: &str = "DELETE FROM inboxes WHERE id = $1 OR offer_id = $1";
/// A company does not see unsent drafts, nor internal steps of the seller; the oldest items come
/// first.
const LIST: &str = "
    SELECT item.kind, item.id, item.company_id, item.offer_id, item.turn,
        item.asking IS NOT DISTINCT FROM $1 AS awaiting_approval,
        item.is_written AND $1 = 'seller' AS being_written, item.revision, item.rounds,
        coalesce(item.representative, offer.representative) AS representative,
        least(item.until, offer.until) AS until, item.seen_at, item.since, item.position
    FROM view.inboxes item
    LEFT JOIN view.inboxes offer ON offer.id = item.offer_id
    LEFT JOIN view.quotation_requests request
        ON request.id = coalesce(item.request_id, offer.request_id)
    WHERE item.waits AND ($1 = 'seller' OR item.kind <> 'offer' OR item.revision > 0)
        AND ($2::uuid IS NULL OR item.company_id = $2)
        AND CASE $3::text
            WHEN 'me' THEN item.turn = $1 OR (item.is_written AND $1 = 'seller')
            WHEN 'them' THEN item.turn <> $1
            ELSE true END
        AND ($4::text IS NULL OR item.kind = $4)
        AND ($5::date IS NULL OR least(item.until, offer.until) <= $5)
        AND ($6::uuid IS NULL OR CASE WHEN $1 = 'seller'
            THEN coalesce(item.representative, offer.representative) = $6
            ELSE $6 IN (item.buyer, request.requested_by) END)
        AND ($7::bigint IS NULL OR item.position > $7)
    ORDER BY item.position LIMIT $8";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Sales(event) = event else { return vec![] };
    match event {
        sales::Event::QuotationRequest(event) => vec![of_request(recorded, event)],
        sales::Event::Offer(event) => of_offer(recorded, event).into_iter().collect(),
        sales::Event::Negotiation(event) => of_negotiation(recorded, event).into_iter().collect(),
        sales::Event::ApprovalRules(_)
        | sales::Event::CreditAccount(_)
        | sales::Event::OfferTemplate(_)
        | sales::Event::Order(_)
        | sales::Event::OrderReference(_)
        | sales::Event::Spending(_)
        | sales::Event::StandingOrder(_)
        | sales::Event::Cart(_)
        | sales::Event::OrderList(_) => vec![],
    }
}

fn of_request(recorded: &RecordedEvent, event: &quotation_request::Event) -> Change {
    use quotation_request::Event as E;
    let (id, at, position) = moment(recorded);
    match event {
        E::Requested { inquiry, by } => {
            change!(REQUEST, id, inquiry.company.0, by.0, inquiry.answer_by, at, position)
        }
        E::Assigned { representative } => change!(ASSIGN, id, representative.0),
        E::Answered { .. } | E::Declined { .. } | E::Withdrawn { .. } => change!(END, id),
    }
}

fn of_offer(recorded: &RecordedEvent, event: &offer::Event) -> Option<Change> {
    use offer::Event as E;
    let (id, at, position) = moment(recorded);
    Some(match event {
        E::Drafted { proposal, representative, origin, .. } => change!(
            DRAFT,
            id,
            proposal.company.0,
            representative.map(Uuid::from),
            request_of(*origin),
            proposal.valid_until,
            at,
            position
        ),
        E::ApprovalRequested { .. } => change!(ASK_SUPERIORS, id, Some(Side::Seller.name())),
        E::Approved {} | E::Disapproved { .. } => change!(ASK_SUPERIORS, id, None::<&str>),
        E::Sent { revision, .. } => {
            let number = revision.map(|revision| revision.number.cast_signed());
            change!(SEND, id, number, at, position)
        }
        E::Viewed { revision, .. } => change!(SEE, id, revision.cast_signed(), at),
        E::NegotiationOpened { .. } => change!(OPEN_NEGOTIATION, id),
        E::NegotiationEnded { .. } => change!(GO_ON, id, at, position),
        E::Agreed { proposal, revision, .. } => {
            let number = revision.number.cast_signed();
            change!(AGREE, id, number, proposal.valid_until, at, position)
        }
        E::Extended { until, .. } => change!(EXTEND, id, *until),
        E::Accepted { .. } | E::Rejected { .. } | E::Withdrawn { .. } | E::Expired { .. } => {
            change!(END, id)
        }
        E::StepApproved { .. } | E::StepEscalated { .. } => return None,
    })
}

fn of_negotiation(recorded: &RecordedEvent, event: &negotiation::Event) -> Option<Change> {
    use negotiation::Event as E;
    let (id, at, position) = moment(recorded);
    let buyer = |side: Side, by: domain::ActorId| (side == Side::Buyer).then_some(by.0);
    Some(match event {
        E::Opened { company, offer, revision, side, by, .. } => change!(
            OPEN,
            id,
            company.0,
            side.name(),
            offer.0,
            revision.cast_signed(),
            buyer(*side, *by),
            at,
            position
        ),
        E::Proposed { number, side, round } => change!(
            PROPOSE,
            id,
            side.other().name(),
            number.cast_signed(),
            round.answer_by,
            buyer(*side, round.by),
            at,
            position
        ),
        E::ApprovalRequested { side, .. } => change!(ASK_SUPERIORS, id, Some(side.name())),
        E::Approved { .. } | E::Disapproved { .. } => change!(ASK_SUPERIORS, id, None::<&str>),
        E::BrokenOff { .. } | E::Expired { .. } => change!(STOP, id),
        E::Resumed { .. } => change!(GO_ON, id, at, position),
        E::Agreed { .. } | E::Closed {} => change!(END, id),
        E::StepApproved { .. }
        | E::StepEscalated { .. }
        | E::ReopeningAsked { .. }
        | E::Reopened { .. }
        | E::Reminded { .. } => return None,
    })
}

/// The kind, time and position of an event.
fn moment(recorded: &RecordedEvent) -> (Uuid, Timestamp, i64) {
    (recorded.stream_id, recorded.recorded_at, recorded.position.0.cast_signed())
}

/// An item that awaits one of the two sides.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "InboxItem")]
pub struct Item {
    /// Its kind.
    pub kind: Kind,
    /// The id of the quotation request, offer or negotiation.
    pub id: Uuid,
    /// The company.
    pub company: CompanyId,
    /// The negotiated offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferId>,
    /// The side that must answer.
    pub turn: Side,
    /// Whether it awaits approval within the asker's own side.
    pub awaiting_approval: bool,
    /// Whether the offer, or its next revision, is a draft; shown only to the seller.
    pub being_written: bool,
    /// The last sent or negotiated revision of the offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
    /// The number of rounds of the negotiation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rounds: Option<u32>,
    /// The responsible employee of the seller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub representative: Option<EmployeeId>,
    /// The last day for the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub until: Option<Date>,
    /// When an employee of the company first viewed the revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
    /// Since when it awaits that side.
    pub since: Timestamp,
    /// The position since which it waits; lists are sorted by it, oldest first.
    #[serde(skip)]
    pub position: i64,
}

/// The kind of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "InboxKind")]
pub enum Kind {
    /// A quotation request.
    QuotationRequest,
    /// An offer to be sent or answered.
    Offer,
    /// A negotiation; its offer is not listed meanwhile.
    Negotiation,
}

/// The side that must answer, from the point of view of the asker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "WaitingSide")]
pub enum Waiting {
    /// The asker's own side, including its approvers.
    Me,
    /// The other side.
    Them,
}

/// Which items to list.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    /// The side of the asker.
    pub side: Side,
    /// Only this company; always set for a company.
    pub company: Option<Uuid>,
    /// Only items that await this side.
    pub waiting: Option<Waiting>,
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only items that can be answered until this day at the latest, or whose last day has passed.
    pub until: Option<Date>,
    /// Only items for which this employee is responsible, or that the employee requested or
    /// answered last.
    pub employee: Option<Uuid>,
}

/// Items, the oldest first, after `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    filter: Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Item>, ReadError> {
    let Filter { side, company, waiting, kind, until, employee } = filter;
    let (waiting, kind) = (waiting.as_ref().map(name_of), kind.as_ref().map(name_of));
    let rows = client
        .query(LIST, &[&side.name(), &company, &waiting, &kind, &until, &employee, &cursor, &limit])
        .await?;
    rows.iter().map(item_of).collect()
}

fn item_of(row: &Row) -> Result<Item, ReadError> {
    let number = |column: &str| row.get::<_, Option<i32>>(column).map(i32::cast_unsigned);
    Ok(Item {
        kind: word(row, "kind")?,
        id: row.get("id"),
        company: CompanyId(row.get("company_id")),
        offer: row.get::<_, Option<Uuid>>("offer_id").map(OfferId),
        turn: word(row, "turn")?,
        awaiting_approval: row.get("awaiting_approval"),
        being_written: row.get("being_written"),
        revision: number("revision").filter(|revision| *revision > 0),
        rounds: number("rounds"),
        representative: row.get::<_, Option<Uuid>>("representative").map(EmployeeId),
        until: row.get("until"),
        seen_at: row.get("seen_at"),
        since: row.get("since"),
        position: row.get("position"),
    })
}
