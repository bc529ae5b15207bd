//! Queries of offers.

use domain::{
    EmployeeId, NegotiationId, OfferId, OrderId,
    offer::{Digest, Inside, Origin, Proposal, Stamp},
};
use event_log::Position;
use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    DocumentNumber, ReadError,
    document_number::Kind,
    heads::OfferHead,
    row::{json, json_or_none, limit_of, name_of, word, word_or_none},
};

/// `offers!("where")`: offers as [`offer_of`] reads them.
macro_rules! offers {
    ($($rest:literal),+) => {
        concat!(
            "SELECT id, status, proposal, reason, created, revision, digest, valid_until, draft,
                draft_status, discount::text, representative, origin, inside, negotiation_id,
                ordered, draft_representative, draft_origin, drafted_on
            FROM view.offers ", $($rest),+)
    };
}

const LIST: &str = offers!(
    "WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR company_id = $2)
        AND (NOT $3 OR revision > 0) AND ($4::text IS NULL OR status = $4)
        AND ($5::uuid IS NULL OR representative = $5) AND ($6::bigint IS NULL OR created < $6)
    ORDER BY created DESC LIMIT $7"
);
/// Offers as [`summary_of`] reads them. Revisions sent by builds without digests are read as a
/// whole, to compute the digest.
const HEADS: &str = "
    SELECT id, status, head, reason, created, revision, digest, valid_until,
        CASE WHEN revision > 0 AND digest IS NULL THEN proposal END AS undigested,
        draft_status, discount::text, representative, origin, negotiation_id,
        draft_representative, draft_origin, draft_head, drafted_on
    FROM view.offers
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR company_id = $2)
        AND (NOT $3 OR revision > 0) AND ($4::text IS NULL OR status = $4)
        AND ($5::uuid IS NULL OR representative = $5) AND ($6::bigint IS NULL OR created < $6)
    ORDER BY created DESC LIMIT $7";
const REVISIONS: &str = "
    SELECT number, digest, proposal, negotiated, sent_at, seen_at, representative, position
    FROM view.offer_revisions
    WHERE offer_id = $1 AND number > $2 ORDER BY number LIMIT $3";
const LAPSED: &str = "
    SELECT id, valid_until FROM view.offers
    WHERE status IN ('open', 'in_negotiation') AND valid_until < $1
        AND ($2::date IS NULL OR (valid_until, id) > ($2, $3))
    ORDER BY valid_until, id LIMIT $4";

/// An offer.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Offer {
    /// Its id.
    pub id: OfferId,
    /// Its number.
    pub number: DocumentNumber,
    /// Its status.
    pub status: Status,
    /// The revision and digest that was sent last; missing before the first.
    #[serde(flatten)]
    pub stamp: Option<Stamp>,
    /// The content of that revision, or of the draft before the first was sent.
    #[serde(flatten)]
    pub proposal: Proposal,
    /// The last day on which it can be accepted, if it was extended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub extended_until: Option<Date>,
    /// The responsible employee of the seller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub representative: Option<EmployeeId>,
    /// Its source document; shown to the company only if it is the company's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Its negotiation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negotiation: Option<NegotiationId>,
    /// The reason of the rejection or withdrawal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The order that its acceptance placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The accepted lines, if not all of its lines were accepted unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordered: Option<domain::Lines>,
    /// Data shown only to the seller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inside: Option<Deliberation>,
    /// The position of its first event; lists are sorted by it, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// Data of an offer shown only to the seller.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "OfferDeliberation")]
pub struct Deliberation {
    /// The draft of the next revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<Proposal>,
    /// The responsible employee of the draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub representative: Option<EmployeeId>,
    /// The source document of the draft, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The status of the draft: `drafted`, `awaiting_approval` or `approved`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft_status: Option<Status>,
    /// The largest discount of a line from its listed price, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discount: Option<String>,
    /// Internal notes and costs.
    #[serde(flatten)]
    pub inside: Inside,
}

/// An offer in a list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OfferSummary {
    /// Its id.
    pub id: OfferId,
    /// Its number.
    pub number: DocumentNumber,
    /// Its status.
    pub status: Status,
    /// The revision and digest that was sent last; missing before the first.
    #[serde(flatten)]
    pub stamp: Option<Stamp>,
    /// The content of that revision without lines, or of the draft before the first was sent.
    #[serde(flatten)]
    pub head: OfferHead,
    /// The last day on which it can be accepted, if it was extended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub extended_until: Option<Date>,
    /// The responsible employee of the seller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub representative: Option<EmployeeId>,
    /// Its source document; shown to the company only if it is the company's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Its negotiation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negotiation: Option<NegotiationId>,
    /// The reason of the rejection or withdrawal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The order that its acceptance placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// Data shown only to the seller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inside: Option<DeliberationSummary>,
    /// The position of its first event; lists are sorted by it, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// Data of an offer in a list, shown only to the seller.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DeliberationSummary {
    /// The draft of the next revision, without lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<OfferHead>,
    /// The responsible employee of the draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub representative: Option<EmployeeId>,
    /// The source document of the draft, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The status of the draft: `drafted`, `awaiting_approval` or `approved`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft_status: Option<Status>,
    /// The largest discount of a line from its listed price, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discount: Option<String>,
}

/// The status of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "OfferStatus")]
pub enum Status {
    /// A draft.
    Drafted,
    /// Awaits approval by the seller's employees before it is sent.
    AwaitingApproval,
    /// Approved, not sent yet.
    Approved,
    /// Sent; awaits the company's answer.
    Open,
    /// In negotiation; it can still be accepted unchanged.
    InNegotiation,
    /// Accepted by the company.
    Accepted,
    /// Rejected by the company.
    Rejected,
    /// Withdrawn by the seller.
    Withdrawn,
    /// Expired.
    Expired,
}

/// A sent revision.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "OfferRevision")]
pub struct Revision {
    /// Its number and digest, which an acceptance must name.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// Its content.
    pub proposal: Proposal,
    /// Whether it is the result of a negotiation.
    pub negotiated: bool,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// When an employee of the company first viewed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
    /// The responsible employee of the seller when it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub representative: Option<EmployeeId>,
    /// The position at which it was sent.
    #[serde(skip)]
    pub position: Position,
}

/// Which offers to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this offer.
    pub id: Option<Uuid>,
    /// Only this company.
    pub company: Option<Uuid>,
    /// Only what buyers may see: no offers that were never sent, and no internal data of the
    /// seller.
    pub sent_only: bool,
    /// Only this status.
    pub status: Option<Status>,
    /// Only offers of this employee of the seller.
    pub representative: Option<Uuid>,
}

/// Offers, newest first, before `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    filter: &Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Offer>, ReadError> {
    let Filter { id, company, sent_only, status, representative } = filter;
    let status = status.as_ref().map(name_of);
    let rows = client
        .query(LIST, &[id, company, sent_only, &status, representative, &cursor, &limit])
        .await?;
    let seen = |offer: Offer| if *sent_only { Offer { inside: None, ..offer } } else { offer };
    rows.iter().map(|row| Ok(seen(offer_of(row)?))).collect()
}

/// The same without lines.
pub async fn summaries(
    client: &Client,
    filter: &Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<OfferSummary>, ReadError> {
    let Filter { id, company, sent_only, status, representative } = filter;
    let status = status.as_ref().map(name_of);
    let rows = client
        .query(HEADS, &[id, company, sent_only, &status, representative, &cursor, &limit])
        .await?;
    let seen = |offer| if *sent_only { OfferSummary { inside: None, ..offer } } else { offer };
    rows.iter().map(|row| Ok(seen(summary_of(row)?))).collect()
}

/// One sent revision of an offer.
pub async fn revision(
    client: &Client,
    offer: Uuid,
    number: u32,
) -> Result<Option<Revision>, ReadError> {
    let Some(after) = number.checked_sub(1) else { return Ok(None) };
    let found = revisions(client, offer, Some(after), 1).await?;
    Ok(found.into_iter().find(|found| found.stamp.number == number))
}

/// The sent revisions of an offer, in order, after a revision, at most `limit`.
pub async fn revisions(
    client: &Client,
    offer: Uuid,
    after: Option<u32>,
    limit: i64,
) -> Result<Vec<Revision>, ReadError> {
    let after = after.map_or(0, u32::cast_signed);
    let rows = client.query(REVISIONS, &[&offer, &after, &limit]).await?;
    let revision = |row: &Row| {
        let proposal: Proposal = json(row, "proposal")?;
        Ok(Revision {
            stamp: stamp_of(row.get("number"), row.get("digest"), &proposal)?,
            proposal,
            negotiated: row.get("negotiated"),
            sent_at: row.get("sent_at"),
            seen_at: row.get("seen_at"),
            representative: row.get::<_, Option<Uuid>>("representative").map(EmployeeId),
            position: Position(row.get::<_, i64>("position").unsigned_abs()),
        })
    };
    rows.iter().map(revision).collect()
}

/// An open offer whose last day has passed.
#[derive(Debug, Clone, Copy)]
pub struct Lapsed {
    /// The offer.
    pub id: OfferId,
    /// Its last day.
    pub valid_until: Date,
}

/// Open offers whose last day has passed, by last day, after `after`.
pub async fn lapsed(
    client: &Client,
    today: Date,
    after: Option<&Lapsed>,
    limit: usize,
) -> Result<Vec<Lapsed>, ReadError> {
    let (day, id) = after.map(|after| (after.valid_until, after.id.0)).unzip();
    let rows = client.query(LAPSED, &[&today, &day, &id, &limit_of(limit)]).await?;
    Ok(rows.iter().map(|row| Lapsed { id: OfferId(row.get(0)), valid_until: row.get(1) }).collect())
}

/// A revision sent by a build without digests has the digest that it would have now.
fn stamp_of(number: i32, digest: Option<String>, proposal: &Proposal) -> Result<Stamp, ReadError> {
    let number = number.cast_unsigned();
    let Some(digest) = digest else { return Ok(Stamp::of(number, proposal)) };
    let digest: Digest = digest.parse().map_err(|_| ReadError::Malformed)?;
    Ok(Stamp { number, digest })
}

fn summary_of(row: &Row) -> Result<OfferSummary, ReadError> {
    let (id, status): (_, Status) = (OfferId(row.get("id")), word(row, "status")?);
    let head: OfferHead = json(row, "head")?;
    let (revision, digest): (i32, Option<String>) = (row.get("revision"), row.get("digest"));
    let unstamped = row.get::<_, Option<Json<Proposal>>>("undigested");
    let number = revision.cast_unsigned();
    let stamp = match (digest, unstamped) {
        (_, Some(Json(proposal))) => Some(Stamp::of(number, &proposal)),
        (Some(digest), None) => {
            let digest: Digest = digest.parse().map_err(|_| ReadError::Malformed)?;
            Some(Stamp { number, digest })
        }
        (None, None) => None,
    };
    let valid_until: Date = row.get("valid_until");
    let optional = |column: &str| row.get::<_, Option<Uuid>>(column);
    let origin =
        |column: &str| row.get::<_, Option<Json<Origin>>>(column).map(|Json(origin)| origin);
    let draft = row.get::<_, Option<Json<OfferHead>>>("draft_head").map(|Json(draft)| draft);
    let draft = draft.filter(|_| revision > 0);
    let created = row.get("created");
    Ok(OfferSummary {
        id,
        number: DocumentNumber::of(Kind::Offer, row.get("drafted_on"), created),
        status,
        stamp: stamp.filter(|_| revision > 0),
        extended_until: (valid_until != head.valid_until).then_some(valid_until),
        head,
        representative: optional("representative").map(EmployeeId),
        origin: origin("origin"),
        negotiation: optional("negotiation_id").map(NegotiationId),
        reason: row.get("reason"),
        order: (status == Status::Accepted).then(|| OrderId::of_offer(id)),
        inside: Some(DeliberationSummary {
            representative: draft.as_ref().and(optional("draft_representative")).map(EmployeeId),
            origin: draft.as_ref().and(origin("draft_origin")),
            draft,
            draft_status: word_or_none(row, "draft_status")?,
            discount: row.get("discount"),
        }),
        created,
    })
}

fn offer_of(row: &Row) -> Result<Offer, ReadError> {
    let (id, status): (_, Status) = (OfferId(row.get("id")), word(row, "status")?);
    let proposal: Proposal = json(row, "proposal")?;
    let (revision, valid_until): (i32, Date) = (row.get("revision"), row.get("valid_until"));
    let stamp = match revision {
        0 => None,
        number => Some(stamp_of(number, row.get("digest"), &proposal)?),
    };
    let optional = |column: &str| row.get::<_, Option<Uuid>>(column);
    let origin = |column: &str| json_or_none::<Origin>(row, column);
    let draft: Option<Proposal> = json_or_none(row, "draft")?;
    let draft = draft.filter(|_| revision > 0);
    let created = row.get("created");
    Ok(Offer {
        id,
        number: DocumentNumber::of(Kind::Offer, row.get("drafted_on"), created),
        status,
        stamp,
        extended_until: (valid_until != proposal.valid_until).then_some(valid_until),
        proposal,
        representative: optional("representative").map(EmployeeId),
        origin: origin("origin")?,
        negotiation: optional("negotiation_id").map(NegotiationId),
        reason: row.get("reason"),
        order: (status == Status::Accepted).then(|| OrderId::of_offer(id)),
        ordered: json_or_none(row, "ordered")?,
        inside: Some(Deliberation {
            representative: draft.as_ref().and(optional("draft_representative")).map(EmployeeId),
            origin: origin("draft_origin")?.filter(|_| draft.is_some()),
            draft,
            draft_status: word_or_none(row, "draft_status")?,
            discount: row.get("discount"),
            inside: json(row, "inside")?,
        }),
        created,
    })
}
