//! `goods_returns`: what companies send back or complain about, how far it has got, and what became of
//! each line.

use domain::{
    ActorId, Attachments, CompanyId, Event, GoodsReturnId, InvoiceId, Note, OrderId, ShipmentId,
    Side, billing,
    goods_return::{self, Finding, Kind, RequestedLine, Transport},
};
use event_log::RecordedEvent;
use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, DocumentNumber, Projection, ReadError, aside, build,
    document_number::Kind as Numbered,
    heads::line_count,
    projection::change,
    row::{json, json_or_none, name_of, word},
};

/// Returns by id, and their lines.
pub const PROJECTION: Projection = Projection {
    name: "goods_returns",
    schema: "
        CREATE TABLE goods_returns (
            id uuid PRIMARY KEY,
            company_id uuid NOT NULL,
            invoice_id uuid NOT NULL,
            order_id uuid NOT NULL,
            shipment_id uuid NOT NULL,
            kind text NOT NULL,
            status text NOT NULL CHECK (octet_length(status) <= 16),
            line_count integer NOT NULL,
            requested_on date NOT NULL,
            -- The request without its lines.
            request jsonb NOT NULL,
            -- What the seller answered besides its lines.
            answer jsonb,
            -- Why it was refused, withdrawn or closed.
            reason text,
            -- In the order in which they were sent, issued and made. Only the seller's people see the
            -- inspections.
            parcels jsonb NOT NULL DEFAULT '[]',
            credits jsonb NOT NULL DEFAULT '[]',
            inspections jsonb NOT NULL DEFAULT '[]',
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON goods_returns (company_id, created);
        CREATE INDEX ON goods_returns (invoice_id, created);
        CREATE INDEX ON goods_returns (order_id, created);
        CREATE INDEX ON goods_returns (status, created);
        CREATE TABLE goods_return_lines (
            goods_return_id uuid NOT NULL,
            line integer NOT NULL,
            -- As it was requested.
            requested jsonb NOT NULL,
            -- The answer; null before there is one.
            answer jsonb,
            received numeric NOT NULL DEFAULT 0,
            restock numeric NOT NULL DEFAULT 0,
            second_choice numeric NOT NULL DEFAULT 0,
            scrap numeric NOT NULL DEFAULT 0,
            send_back numeric NOT NULL DEFAULT 0,
            credited numeric NOT NULL DEFAULT 0,
            PRIMARY KEY (goods_return_id, line)
        )",
    tables: &["goods_returns", "goods_return_lines"],
    reads: &["goods_return"],
    aside: aside::stream,
    apply,
    build: build::GOODS_RETURNS,
};

const REQUEST: &str = "
    INSERT INTO goods_returns (id, company_id, invoice_id, order_id, shipment_id, kind, status,
        line_count, requested_on, request, created)
    VALUES ($1, $2, $3, $4, $5, $6, 'requested', $7, $8, $9, $10)";
const REQUEST_LINES: &str = "
    INSERT INTO goods_return_lines (goods_return_id, line, requested)
    SELECT $1, number::integer, requested
    FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS lines (requested, number)";
const AUTHORISE: &str = "UPDATE goods_returns SET status = 'authorised', answer = $2 WHERE id = $1";
const AUTHORISE_LINES: &str = "
    UPDATE goods_return_lines lines SET answer = answers.answer
    FROM jsonb_array_elements($2::jsonb) AS answers (answer)
    WHERE lines.goods_return_id = $1 AND lines.line = (answers.answer ->> 'line')::integer";
const SEND: &str = "
    UPDATE goods_returns SET parcels = parcels || $2::jsonb,
        status = CASE status WHEN 'authorised' THEN 'sent' ELSE status END
    WHERE id = $1";
const RECEIVE: &str = "UPDATE goods_returns SET status = 'received' WHERE id = $1";
const RECEIVE_LINES: &str = "
    UPDATE goods_return_lines lines SET received = received + items.quantity
    FROM jsonb_to_recordset($2::jsonb) AS items (line integer, quantity numeric)
    WHERE lines.goods_return_id = $1 AND lines.line = items.line";
const INSPECT: &str =
    "UPDATE goods_returns SET inspections = inspections || $2::jsonb WHERE id = $1";
const INSPECT_LINES: &str = "
    UPDATE goods_return_lines lines SET
        restock = lines.restock + coalesce(items.restock, 0),
        second_choice = lines.second_choice + coalesce(items.second_choice, 0),
        scrap = lines.scrap + coalesce(items.scrap, 0),
        send_back = lines.send_back + coalesce(items.send_back, 0)
    FROM jsonb_to_recordset($2::jsonb) AS items (line integer, restock numeric,
        second_choice numeric, scrap numeric, send_back numeric)
    WHERE lines.goods_return_id = $1 AND lines.line = items.line";
const CREDIT: &str = "UPDATE goods_returns SET credits = credits || $2::jsonb WHERE id = $1";
const CREDIT_LINES: &str = "
    UPDATE goods_return_lines lines SET credited = credited + items.quantity
    FROM jsonb_to_recordset($2::jsonb) AS items (line integer, quantity numeric)
    WHERE lines.goods_return_id = $1 AND lines.line = items.line";
const END: &str = "UPDATE goods_returns SET status = $2, reason = $3 WHERE id = $1";
const LIST: &str = "
    SELECT id, company_id, invoice_id, order_id, shipment_id, kind, status, line_count,
        requested_on, request, answer, reason, parcels, credits, inspections, created
    FROM view.goods_returns
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR company_id = $2)
        AND ($3::uuid IS NULL OR invoice_id = $3) AND ($4::uuid IS NULL OR order_id = $4)
        AND ($5::text IS NULL OR status = $5) AND ($6::text IS NULL OR kind = $6)
        AND ($7::bigint IS NULL OR created < $7)
    ORDER BY created DESC LIMIT $8";
const LINES: &str = "
    SELECT line, requested, answer, received, restock, second_choice, scrap, send_back,
        credited
    FROM view.goods_return_lines WHERE goods_return_id = $1 ORDER BY line";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    use goods_return::Event as E;
    let Event::Billing(billing::Event::GoodsReturn(event)) = event else { return vec![] };
    let id = recorded.stream_id;
    let ended = |status, reason: Option<&Note>| {
        vec![change!(END, id, status, reason.map(ToString::to_string))]
    };
    match event {
        E::Requested { request } => requested(recorded, request),
        E::Authorised { lines, transport, labels, note } => {
            let answer =
                Answer { transport: *transport, labels: labels.clone(), note: note.clone() };
            vec![
                change!(AUTHORISE, id, Json(answer)),
                change!(AUTHORISE_LINES, id, Json(lines.clone())),
            ]
        }
        E::Sent { transport, courier, tracking, on } => {
            let (courier, tracking) = (courier.clone(), tracking.clone());
            let parcel = Parcel { transport: *transport, courier, tracking, on: *on };
            vec![change!(SEND, id, Json([parcel]))]
        }
        E::Received { items, .. } => {
            vec![change!(RECEIVE, id), change!(RECEIVE_LINES, id, Json(items.clone()))]
        }
        E::Inspected { items, note } => {
            let at = recorded.recorded_at;
            let inspection = Inspection { lines: items.clone(), note: note.clone(), at };
            vec![
                change!(INSPECT, id, Json([inspection])),
                change!(INSPECT_LINES, id, Json(items.clone())),
            ]
        }
        E::Credited { credit_note, items, replacement, on } => {
            let credit = Credited { credit_note: *credit_note, replacement: *replacement, on: *on };
            vec![
                change!(CREDIT, id, Json([credit])),
                change!(CREDIT_LINES, id, Json(items.clone())),
            ]
        }
        E::Refused { reason } => ended("refused", Some(reason)),
        E::Withdrawn { reason } => ended("withdrawn", reason.as_ref()),
        E::Settled {} => ended("settled", None),
        E::Closed { reason } => ended("closed", Some(reason)),
    }
}

fn requested(recorded: &RecordedEvent, request: &goods_return::Request) -> Vec<Change> {
    let id = recorded.stream_id;
    let goods_return::Request {
        company,
        invoice,
        order,
        shipment,
        kind,
        lines,
        note,
        by,
        side,
        on,
    } = request;
    vec![
        change!(
            REQUEST,
            id,
            company.0,
            invoice.0,
            order.0,
            shipment.0,
            kind.name(),
            line_count(lines),
            *on,
            Json(json!({ "note": note, "requested_by": by, "side": side })),
            recorded.position.0.cast_signed()
        ),
        change!(REQUEST_LINES, id, Json(lines.clone())),
    ]
}

/// A return as lists show it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GoodsReturnSummary {
    /// Its id.
    pub id: GoodsReturnId,
    /// Its readable number.
    pub number: DocumentNumber,
    /// How far it has got.
    pub status: Status,
    /// Who returns.
    pub company: CompanyId,
    /// Of which invoice.
    pub invoice: InvoiceId,
    /// The order behind the invoice.
    pub order: OrderId,
    /// The shipment behind the invoice.
    pub shipment: ShipmentId,
    /// Whether goods come back.
    pub kind: Kind,
    /// How many lines it has; they are shown with the return alone.
    pub line_count: u32,
    /// The day of the request.
    #[schemars(with = "String", extend("format" = "date"))]
    pub requested_on: Date,
    /// The credit notes, in the order in which they were issued.
    pub credits: Vec<Credited>,
    /// Where in the log it was requested; lists are in this order, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// A return, whole.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "GoodsReturnDetails")]
pub struct GoodsReturn {
    /// What lists show.
    #[serde(flatten)]
    pub summary: GoodsReturnSummary,
    /// Who requested it, and in which words.
    #[serde(flatten)]
    pub request: Requester,
    /// What the seller answered besides its lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// Why it was refused, withdrawn or closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The parcels, in the order in which they were sent.
    pub parcels: Vec<Parcel>,
    /// What was inspected; only the seller's people see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inspections: Option<Vec<Inspection>>,
    /// What became of each line.
    pub lines: Vec<Line>,
}

/// Who requested a return.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "GoodsReturnRequester")]
pub struct Requester {
    /// An employee, or a key that is nobody's.
    pub requested_by: ActorId,
    /// For which side.
    pub side: Side,
    /// In their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// What the seller answered besides its lines.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "GoodsReturnAnswer")]
pub struct Answer {
    /// How the goods are to come back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
    /// Labels for the parcels.
    #[serde(default, skip_serializing_if = "Attachments::is_empty")]
    pub labels: Attachments,
    /// What the company is to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// A parcel that was sent.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "GoodsReturnParcel")]
pub struct Parcel {
    /// How.
    pub transport: Transport,
    /// Who carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub courier: Option<domain::Name>,
    /// The courier's number of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<domain::Reference>,
    /// The day.
    #[schemars(with = "String", extend("format" = "date"))]
    pub on: Date,
}

/// A credit note of a return.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "GoodsReturnCredit")]
pub struct Credited {
    /// Which one.
    pub credit_note: InvoiceId,
    /// The order that replaces what it credits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<OrderId>,
    /// Its day.
    #[schemars(with = "String", extend("format" = "date"))]
    pub on: Date,
}

/// What was decided about goods that came back.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "GoodsReturnInspection")]
pub struct Inspection {
    /// By line.
    pub lines: Vec<Finding>,
    /// For the seller's people only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// When.
    pub at: Timestamp,
}

/// A line of a return and what became of it. Quantities are numbers of units.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "GoodsReturnProgress")]
pub struct Line {
    /// Its number, counted from 1.
    pub line: u32,
    /// As it was requested.
    #[serde(flatten)]
    pub requested: RequestedLine,
    /// The seller's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<goods_return::AuthorisedLine>,
    /// What came back.
    #[schemars(with = "String")]
    pub received: Decimal,
    /// What goes back to the company, and is not credited.
    #[schemars(with = "String")]
    pub sent_back: Decimal,
    /// What credit notes credit.
    #[schemars(with = "String")]
    pub credited: Decimal,
    /// What becomes of the rest; only the seller's people see it.
    #[serde(flatten)]
    pub kept: Option<Kept>,
}

/// What becomes of goods that the seller keeps.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "KeptReturnedGoods")]
pub struct Kept {
    /// Sold again as new.
    #[schemars(with = "String")]
    pub restock: Decimal,
    /// Sold again as second choice.
    #[schemars(with = "String")]
    pub second_choice: Decimal,
    /// Scrapped.
    #[schemars(with = "String")]
    pub scrap: Decimal,
}

/// How far a return has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "GoodsReturnStatus")]
pub enum Status {
    /// It waits for the seller's answer.
    Requested,
    /// The seller authorised all or a part.
    Authorised,
    /// A parcel is on its way.
    Sent,
    /// Goods came back.
    Received,
    /// The seller refused it.
    Refused,
    /// It was taken back.
    Withdrawn,
    /// All that was authorised is credited or sent back.
    Settled,
    /// The seller closed it before.
    Closed,
}

/// Which returns are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// This one.
    pub id: Option<Uuid>,
    /// Those of this company.
    pub company: Option<Uuid>,
    /// Those of this invoice.
    pub invoice: Option<Uuid>,
    /// Those of this order.
    pub order: Option<Uuid>,
    /// Those with this status.
    pub status: Option<Status>,
    /// Those of this kind.
    pub kind: Option<Kind>,
}

/// Returns without their lines, newest first, from before `cursor`, at most `limit`.
pub async fn summaries(
    client: &Client,
    filter: Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<GoodsReturnSummary>, ReadError> {
    found(client, filter, cursor, limit).await?.iter().map(summary_of).collect()
}

/// One return; `is_seller` shows what the seller decided by itself.
pub async fn one(
    client: &Client,
    filter: Filter,
    is_seller: bool,
) -> Result<Option<GoodsReturn>, ReadError> {
    let rows = found(client, filter, None, 1).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let id: Uuid = row.get("id");
    let lines = client.query(LINES, &[&id]).await?;
    Ok(Some(GoodsReturn {
        summary: summary_of(row)?,
        request: json(row, "request")?,
        answer: json_or_none(row, "answer")?,
        reason: row.get("reason"),
        parcels: json(row, "parcels")?,
        inspections: if is_seller { Some(json(row, "inspections")?) } else { None },
        lines: lines.iter().map(|row| line_of(row, is_seller)).collect::<Result<_, _>>()?,
    }))
}

async fn found(
    client: &Client,
    filter: Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Row>, ReadError> {
    let Filter { id, company, invoice, order, status, kind } = filter;
    let (status, kind) = (status.as_ref().map(name_of), kind.map(Kind::name));
    let rows = client
        .query(LIST, &[&id, &company, &invoice, &order, &status, &kind, &cursor, &limit])
        .await?;
    Ok(rows)
}

fn summary_of(row: &Row) -> Result<GoodsReturnSummary, ReadError> {
    let (requested_on, created): (Date, i64) = (row.get("requested_on"), row.get("created"));
    Ok(GoodsReturnSummary {
        id: GoodsReturnId(row.get("id")),
        number: DocumentNumber::of(Numbered::GoodsReturn, requested_on, created),
        status: word(row, "status")?,
        company: CompanyId(row.get("company_id")),
        invoice: InvoiceId(row.get("invoice_id")),
        order: OrderId(row.get("order_id")),
        shipment: ShipmentId(row.get("shipment_id")),
        kind: word(row, "kind")?,
        line_count: row.get::<_, i32>("line_count").unsigned_abs(),
        requested_on,
        credits: json(row, "credits")?,
        created,
    })
}

fn line_of(row: &Row, is_seller: bool) -> Result<Line, ReadError> {
    let units = |column| row.get::<_, Decimal>(column).normalize();
    let kept = || Kept {
        restock: units("restock"),
        second_choice: units("second_choice"),
        scrap: units("scrap"),
    };
    Ok(Line {
        line: row.get::<_, i32>("line").unsigned_abs(),
        requested: json(row, "requested")?,
        answer: json_or_none(row, "answer")?,
        received: units("received"),
        sent_back: units("send_back"),
        credited: units("credited"),
        kept: is_seller.then(kept),
    })
}
