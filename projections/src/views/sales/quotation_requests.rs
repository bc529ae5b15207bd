//! `quotation_requests`: quotation requests with assignee and status.

use domain::{
    ActorId, Email, EmployeeId, Event, Name, OfferId, QuotationRequestId,
    employee::Profile,
    quotation_request::{self, Inquiry},
    sales,
};
use event_log::RecordedEvent;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError, aside, build,
    heads::InquiryHead,
    projection::change,
    row::{json, json_or_none, name_of, word},
};

/// Quotation requests by id.
pub const PROJECTION: Projection = Projection {
    name: "quotation_requests",
    schema: "
        CREATE TABLE quotation_requests (
            id uuid PRIMARY KEY,
            company_id uuid NOT NULL,
            status text NOT NULL CHECK (octet_length(status) <= 16),
            inquiry jsonb NOT NULL,
            -- What lists show.
            head jsonb NOT NULL,
            -- An employee, or a key that is nobody's.
            requested_by uuid NOT NULL,
            representative_id uuid,
            -- In the order in which they were sent.
            offers uuid[] NOT NULL DEFAULT '{}',
            -- Why it was declined or withdrawn.
            reason text,
            requested_at timestamptz NOT NULL,
            -- When it was given to somebody, and answered, first.
            assigned_at timestamptz,
            answered_at timestamptz,
            -- When it was declined or withdrawn.
            closed_at timestamptz,
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON quotation_requests (company_id, created);
        CREATE INDEX ON quotation_requests (representative_id, created);
        CREATE INDEX ON quotation_requests (status, created)",
    tables: &["quotation_requests"],
    reads: &["quotation_request"],
    aside: aside::stream,
    apply,
    build: build::QUOTATION_REQUESTS,
};

const REQUEST: &str = "
    INSERT INTO quotation_requests (
        id, company_id, status, inquiry, head, requested_by, requested_at, created)
    VALUES ($1, $2, 'requested', $3, $4, $5, $6, $7)";
const ASSIGN: &str = "
    UPDATE quotation_requests SET status = 'assigned', representative_id = $2,
        assigned_at = coalesce(assigned_at, $3)
    WHERE id = $1";
const ANSWER: &str = "
    UPDATE quotation_requests SET status = 'answered', offers = offers || $2::uuid,
        answered_at = coalesce(answered_at, $3)
    WHERE id = $1";
const CLOSE: &str =
    "UPDATE quotation_requests SET status = $2, reason = $3, closed_at = $4 WHERE id = $1";
const LIST: &str = "
    SELECT request.id, status, inquiry AS said, requested_by, representative_id, representative.profile,
        offers, reason, requested_at, assigned_at, answered_at, closed_at, request.created
    FROM view.quotation_requests request
    LEFT JOIN view.employees representative ON representative.id = representative_id
    WHERE ($1::uuid IS NULL OR request.id = $1)
        AND ($2::uuid IS NULL OR request.company_id = $2)
        AND ($3::text IS NULL OR status = $3)
        AND ($4::uuid IS NULL OR representative_id = $4)
        AND ($5::uuid IS NULL OR requested_by = $5)
        AND ($6::bigint IS NULL OR request.created < $6)
    ORDER BY request.created DESC LIMIT $7";

const HEADS: &str = "
    SELECT request.id, status, head AS said, requested_by, representative_id, representative.profile,
        offers, reason, requested_at, assigned_at, answered_at, closed_at, request.created
    FROM view.quotation_requests request
    LEFT JOIN view.employees representative ON representative.id = representative_id
    WHERE ($1::uuid IS NULL OR request.id = $1)
        AND ($2::uuid IS NULL OR request.company_id = $2)
        AND ($3::text IS NULL OR status = $3)
        AND ($4::uuid IS NULL OR representative_id = $4)
        AND ($5::uuid IS NULL OR requested_by = $5)
        AND ($6::bigint IS NULL OR request.created < $6)
    ORDER BY request.created DESC LIMIT $7";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    use quotation_request::Event as E;
    let Event::Sales(sales::Event::QuotationRequest(event)) = event else { return vec![] };
    let (id, at) = (recorded.stream_id, recorded.recorded_at);
    vec![match event {
        E::Requested { inquiry, by } => change!(
            REQUEST,
            id,
            inquiry.company.0,
            Json(inquiry.clone()),
            Json(InquiryHead::from(inquiry)),
            by.0,
            at,
            recorded.position.0.cast_signed()
        ),
        E::Assigned { representative } => change!(ASSIGN, id, representative.0, at),
        E::Answered { offer } => change!(ANSWER, id, offer.0, at),
        E::Declined { reason } => {
            change!(CLOSE, id, "declined", Some(reason.to_string()), at)
        }
        E::Withdrawn { reason, .. } => {
            change!(CLOSE, id, "withdrawn", reason.as_ref().map(ToString::to_string), at)
        }
    }]
}

/// A quotation request: complete, or with an [`InquiryHead`] in lists.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "QuotationRequest{I}")]
pub struct QuotationRequest<I = Inquiry> {
    /// Its id.
    pub id: QuotationRequestId,
    /// Its status.
    pub status: Status,
    /// The requested lines.
    #[serde(flatten)]
    pub inquiry: I,
    /// The requester: an employee, or a key that belongs to no employee.
    pub requested_by: ActorId,
    /// The assigned employee of the seller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub representative: Option<Representative>,
    /// The offers that answer it, in the order in which they were sent.
    pub offers: Vec<OfferId>,
    /// The reason why it was declined or withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was made.
    pub requested_at: Timestamp,
    /// When it was first assigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_at: Option<Timestamp>,
    /// When the first offer for it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
    /// When it was declined or withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// The position of its first event; lists are sorted by it, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// The assigned employee of a quotation request.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "QuotationRepresentative")]
pub struct Representative {
    /// The employee.
    pub id: EmployeeId,
    /// First and last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// The e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
}

/// The status of a quotation request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "QuotationRequestStatus")]
pub enum Status {
    /// Not assigned.
    Requested,
    /// Assigned to an employee of the seller.
    Assigned,
    /// An offer was sent for it.
    Answered,
    /// Declined by the seller.
    Declined,
    /// Withdrawn by the company.
    Withdrawn,
}

/// Which quotation requests to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only this one.
    pub id: Option<Uuid>,
    /// Only this company.
    pub company: Option<Uuid>,
    /// Only this status.
    pub status: Option<Status>,
    /// Only those assigned to this employee of the seller.
    pub representative: Option<Uuid>,
    /// Only those that this employee made.
    pub requested_by: Option<Uuid>,
}

/// Quotation requests, newest first, before `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    filter: Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<QuotationRequest>, ReadError> {
    found(client, LIST, filter, cursor, limit).await
}

/// The same without lines.
pub async fn summaries(
    client: &Client,
    filter: Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<QuotationRequest<InquiryHead>>, ReadError> {
    found(client, HEADS, filter, cursor, limit).await
}

async fn found<I: DeserializeOwned>(
    client: &Client,
    sql: &str,
    filter: Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<QuotationRequest<I>>, ReadError> {
    let Filter { id, company, status, representative, requested_by } = filter;
    let status = status.as_ref().map(name_of);
    let rows = client
        .query(sql, &[&id, &company, &status, &representative, &requested_by, &cursor, &limit])
        .await?;
    rows.iter().map(request_of).collect()
}

fn request_of<I: DeserializeOwned>(row: &Row) -> Result<QuotationRequest<I>, ReadError> {
    let profile: Option<Profile> = json_or_none(row, "profile")?;
    let (name, email) = profile.map(|Profile { name, email }| (name, email)).unzip();
    let representative = row.get::<_, Option<Uuid>>("representative_id");
    Ok(QuotationRequest {
        id: QuotationRequestId(row.get("id")),
        status: word(row, "status")?,
        inquiry: json(row, "said")?,
        requested_by: ActorId(row.get("requested_by")),
        representative: representative.map(|id| Representative { id: EmployeeId(id), name, email }),
        offers: row.get::<_, Vec<Uuid>>("offers").into_iter().map(OfferId).collect(),
        reason: row.get("reason"),
        requested_at: row.get("requested_at"),
        assigned_at: row.get("assigned_at"),
        answered_at: row.get("answered_at"),
        closed_at: row.get("closed_at"),
        created: row.get("created"),
    })
}
