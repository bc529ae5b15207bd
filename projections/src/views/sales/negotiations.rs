//! `negotiations`: negotiations with status, deadline and the side that must answer.

use domain::{CompanyId, Event, NegotiationId, OfferId, Side, negotiation, sales};
use event_log::RecordedEvent;
use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError, aside, build,
    projection::change,
    row::{limit_of, name_of, word},
};

/// Negotiations by id.
pub const PROJECTION: Projection = Projection {
    name: "negotiations",
    schema: "
        CREATE TABLE negotiations (
            id uuid PRIMARY KEY,
            offer_id uuid NOT NULL,
            company_id uuid NOT NULL,
            revision integer NOT NULL,
            status text NOT NULL,
            turn text NOT NULL,
            rounds integer NOT NULL,
            answer_by date,
            reminded boolean NOT NULL DEFAULT false,
            since timestamptz NOT NULL,
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON negotiations (company_id, created);
        CREATE INDEX ON negotiations (offer_id);
        CREATE INDEX ON negotiations (answer_by) WHERE status = 'open'",
    tables: &["negotiations"],
    reads: &["negotiation"],
    aside: aside::stream,
    apply,
    build: build::NEGOTIATIONS,
};

const OPEN: &str = "
    INSERT INTO negotiations (id, offer_id, company_id, revision, status, turn, rounds, since, created)
    VALUES ($1, $2, $3, $4, 'open', $5, 0, $6, $7)";
const PROPOSE: &str = "
    UPDATE negotiations SET turn = $2, rounds = $3, answer_by = $4, reminded = false, since = $5
    WHERE id = $1";
const STATUS: &str = "UPDATE negotiations SET status = $2, since = $3 WHERE id = $1";
const RESUME: &str = "
    UPDATE negotiations SET status = 'open', answer_by = NULL, reminded = false, since = $2
    WHERE id = $1";
const REMIND: &str = "UPDATE negotiations SET reminded = true WHERE id = $1";
const LIST: &str = "
    SELECT id, offer_id, company_id, revision, status, turn, rounds, answer_by, since, created
    FROM view.negotiations
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR company_id = $2)
        AND ($3::text IS NULL OR status = $3) AND ($4::text IS NULL OR turn = $4)
        AND ($5::uuid IS NULL OR offer_id = $5) AND ($6::bigint IS NULL OR created < $6)
    ORDER BY created DESC LIMIT $7";
const DUE: &str = "
    SELECT id, offer_id, answer_by < $1 AS is_over, answer_by FROM view.negotiations
    WHERE status = 'open' AND (answer_by < $1 OR (answer_by <= $1 + 1 AND NOT reminded))
        AND ($2::date IS NULL OR (answer_by, id) > ($2, $3))
    ORDER BY answer_by, id LIMIT $4";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Sales(sales::Event::Negotiation(event)) = event else { return vec![] };
    let (id, at) = (recorded.stream_id, recorded.recorded_at);
    let became = |status: Status| vec![change!(STATUS, id, name_of(&status), at)];
    match event {
        negotiation::Event::Opened { offer, company, revision, side, .. } => vec![change!(
            OPEN,
            id,
            offer.0,
            company.0,
            revision.cast_signed(),
            name_of(side),
            at,
            recorded.position.0.cast_signed()
        )],
        negotiation::Event::Proposed { number, side, round } => {
            let (turn, number) = (name_of(&side.other()), number.cast_signed());
            vec![change!(PROPOSE, id, turn, number, round.answer_by, at)]
        }
        negotiation::Event::ApprovalRequested { .. }
        | negotiation::Event::StepApproved { .. }
        | negotiation::Event::StepEscalated { .. }
        | negotiation::Event::Approved { .. }
        | negotiation::Event::Disapproved { .. }
        | negotiation::Event::ReopeningAsked { .. }
        | negotiation::Event::Reopened { .. } => vec![],
        negotiation::Event::Agreed { .. } => became(Status::Agreed),
        negotiation::Event::BrokenOff { .. } => became(Status::BrokenOff),
        negotiation::Event::Resumed { .. } => vec![change!(RESUME, id, at)],
        negotiation::Event::Reminded { .. } => vec![change!(REMIND, id)],
        negotiation::Event::Expired { .. } => became(Status::Expired),
        negotiation::Event::Closed {} => became(Status::Closed),
    }
}

/// A negotiation.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Negotiation {
    /// Its id.
    pub id: NegotiationId,
    /// The offer.
    pub offer: OfferId,
    /// The company.
    pub company: CompanyId,
    /// The revision of the offer.
    pub revision: u32,
    /// The status.
    pub status: Status,
    /// The side that must answer.
    pub turn: Side,
    /// The number of rounds.
    pub rounds: u32,
    /// The last day for the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub answer_by: Option<Date>,
    /// Since when it has this status.
    pub since: Timestamp,
    /// The position of its opening; lists are sorted by it, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// The status of a negotiation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "NegotiationStatus")]
pub enum Status {
    /// One side must answer.
    Open,
    /// Agreed: the offer has a new revision.
    Agreed,
    /// Broken off by one side.
    BrokenOff,
    /// One side did not answer in time.
    Expired,
    /// Closed: the offer was answered, withdrawn or expired.
    Closed,
}

/// Which negotiations to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this negotiation.
    pub id: Option<Uuid>,
    /// Only this company.
    pub company: Option<Uuid>,
    /// Only this status.
    pub status: Option<Status>,
    /// Only those in which this side must answer.
    pub turn: Option<Side>,
    /// Only this offer.
    pub offer: Option<Uuid>,
}

/// Negotiations, newest first, before `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    filter: &Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Negotiation>, ReadError> {
    let Filter { id, company, status, turn, offer } = filter;
    let (status, turn) = (status.as_ref().map(name_of), turn.as_ref().map(name_of));
    let rows = client.query(LIST, &[id, company, &status, &turn, offer, &cursor, &limit]).await?;
    rows.iter().map(negotiation_of).collect()
}

/// A negotiation whose deadline is near or has passed.
#[derive(Debug, Clone, Copy)]
pub struct Due {
    /// The negotiation.
    pub id: NegotiationId,
    /// The offer.
    pub offer: OfferId,
    /// Whether the deadline has passed.
    pub is_over: bool,
    /// The last day for an answer.
    pub answer_by: Date,
}

/// Negotiations with a deadline until tomorrow, or until yesterday if a reminder was sent, by
/// deadline, after `after`.
pub async fn due(
    client: &Client,
    today: Date,
    after: Option<&Due>,
    limit: usize,
) -> Result<Vec<Due>, ReadError> {
    let (day, id) = after.map(|after| (after.answer_by, after.id.0)).unzip();
    let rows = client.query(DUE, &[&today, &day, &id, &limit_of(limit)]).await?;
    let due = |row: &Row| Due {
        id: NegotiationId(row.get("id")),
        offer: OfferId(row.get("offer_id")),
        is_over: row.get("is_over"),
        answer_by: row.get("answer_by"),
    };
    Ok(rows.iter().map(due).collect())
}

fn negotiation_of(row: &Row) -> Result<Negotiation, ReadError> {
    Ok(Negotiation {
        id: NegotiationId(row.get("id")),
        offer: OfferId(row.get("offer_id")),
        company: CompanyId(row.get("company_id")),
        revision: row.get::<_, i32>("revision").cast_unsigned(),
        status: word(row, "status")?,
        turn: word(row, "turn")?,
        rounds: row.get::<_, i32>("rounds").cast_unsigned(),
        answer_by: row.get("answer_by"),
        since: row.get("since"),
        created: row.get("created"),
    })
}
