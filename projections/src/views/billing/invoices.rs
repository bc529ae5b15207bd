//! `invoices`: invoices and credit notes with their open amounts and status.

use domain::{
    CompanyId, Currency, Event, InvoiceId, Lines, Money, OrderId, ShipmentId, billing, invoice,
    parties, series::Number, vat::Totals,
};
use event_log::RecordedEvent;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError, aside, build,
    buyer::{Buyer, Buyers, buyer_of, buyers, buyers_table},
    heads::line_count,
    projection::change,
    row::{json, json_or_none, money, parsed, word},
};

/// Sales invoices and credit notes by id.
pub const PROJECTION: Projection = Projection {
    name: "invoices",
    schema: concat!(
        buyers_table!("invoice_buyers"),
        "
        CREATE TABLE invoices (
            id uuid PRIMARY KEY,
            kind text NOT NULL,
            number text NOT NULL UNIQUE CHECK (octet_length(number) <= 64),
            company_id uuid NOT NULL,
            -- The company as it was when the document was issued.
            buyer jsonb,
            order_id uuid,
            shipment_id uuid,
            corrects uuid,
            currency text NOT NULL,
            lines jsonb NOT NULL,
            line_count integer NOT NULL,
            totals jsonb NOT NULL,
            gross numeric NOT NULL,
            paid numeric NOT NULL DEFAULT 0,
            credited numeric NOT NULL DEFAULT 0,
            issued_on date NOT NULL,
            due_on date,
            -- Until when less is to be paid, and how much.
            early jsonb,
            split_payment boolean NOT NULL DEFAULT false,
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON invoices (company_id, created);
        CREATE INDEX ON invoices (corrects) WHERE corrects IS NOT NULL"
    ),
    tables: &["invoices", "invoice_buyers"],
    reads: &["invoice", "company"],
    aside: aside::stream,
    apply,
    build: build::INVOICES,
};

const BUYERS: Buyers = buyers!("invoice_buyers");
const ISSUE: &str = concat!(
    "
    INSERT INTO invoices (id, kind, number, company_id, order_id, shipment_id, corrects, currency,
        lines, line_count, totals, gross, issued_on, due_on, early, split_payment, created, buyer)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, ",
    buyer_of!("invoices", "invoice_buyers", "$4"),
    ")"
);
const PAY: &str = "UPDATE invoices SET paid = paid + $2 WHERE id = $1";
const CREDIT: &str = "UPDATE invoices SET credited = credited + $2 WHERE id = $1";
/// `documents!("column")`: documents as [`invoice_of`] reads them; the column provides the lines or
/// their number.
macro_rules! documents {
    ($lines:literal) => {
        concat!(
            "SELECT id, kind, number, company_id, order_id, shipment_id, corrects, currency, ",
            $lines,
            " AS said, totals,
            paid, credited, gross - paid - credited AS open, issued_on, due_on, created,
            CASE
                WHEN gross = paid + credited THEN 'settled'
                WHEN due_on < $1 THEN 'overdue'
                WHEN paid + credited > 0 THEN 'part_paid'
                ELSE 'issued'
            END AS status, early, split_payment, buyer
        FROM view.invoices
        WHERE ($2::uuid IS NULL OR id = $2) AND ($3::uuid IS NULL OR company_id = $3)
            AND ($4::text IS NULL OR number = $4) AND ($5::bigint IS NULL OR created < $5)
        ORDER BY created DESC LIMIT $6"
        )
    };
}

const LIST: &str = documents!("jsonb_build_object('lines', lines)");
const HEADS: &str = documents!("jsonb_build_object('line_count', line_count)");
const CORRECTING: &str =
    "SELECT id, lines, totals FROM view.invoices WHERE corrects = $1 ORDER BY created";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let event = match event {
        Event::Billing(billing::Event::Invoice(event)) => event,
        Event::Parties(parties::Event::Company(event)) => {
            return BUYERS.changed(recorded, event).into_iter().collect();
        }
        _ => return vec![],
    };
    let id = recorded.stream_id;
    let created = recorded.position.0.cast_signed();
    match event {
        invoice::Event::Issued {
            number,
            company,
            order,
            shipment,
            currency,
            lines,
            totals,
            on,
            due_on,
            early,
            split_payment,
        } => vec![change!(
            ISSUE,
            id,
            "invoice",
            number.to_string(),
            company.0,
            Some(order.0),
            Some(shipment.0),
            None::<Uuid>,
            currency.code(),
            Json(lines.clone()),
            line_count(lines),
            Json(totals.clone()),
            totals.gross.amount(),
            *on,
            Some(*due_on),
            early.map(Json),
            *split_payment,
            created
        )],
        invoice::Event::CreditNoteIssued {
            number,
            company,
            corrects,
            currency,
            lines,
            totals,
            on,
            ..
        } => vec![change!(
            ISSUE,
            id,
            "credit_note",
            number.to_string(),
            company.0,
            None::<Uuid>,
            None::<Uuid>,
            corrects.map(|invoice| invoice.0),
            currency.code(),
            Json(lines.clone()),
            line_count(lines),
            Json(totals.clone()),
            totals.gross.amount(),
            *on,
            None::<Date>,
            None::<Json<invoice::Early>>,
            false,
            created
        )],
        // The credit note has a row of its own, which names the invoice.
        invoice::Event::Corrected { .. } => vec![],
        invoice::Event::PartPaid { amount, .. } | invoice::Event::Paid { amount, .. } => {
            vec![change!(PAY, id, amount.amount())]
        }
        invoice::Event::Credited { amount, .. } | invoice::Event::CreditGiven { amount, .. } => {
            vec![change!(CREDIT, id, amount.amount())]
        }
    }
}

/// The lines of a document.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Whole {
    /// The lines.
    pub lines: Lines,
}

/// The lines in a list: only their number.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Counted {
    /// The number of lines; only a single document shows them.
    pub line_count: u32,
}

/// An invoice or credit note with its open amount: with lines, or as lists show it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Invoice{L}")]
pub struct Invoice<L = Whole> {
    /// Its id.
    pub id: InvoiceId,
    /// The kind of document.
    pub kind: Kind,
    /// Its number.
    pub number: Number,
    /// Its status on the requested day.
    pub status: Status,
    /// The company.
    pub company: CompanyId,
    /// The company's data on the day of issue; missing in records of older builds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buyer: Option<Buyer>,
    /// The order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The shipment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipment: Option<ShipmentId>,
    /// The corrected invoice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrects: Option<InvoiceId>,
    /// The lines.
    #[serde(flatten)]
    pub said: L,
    /// The totals, with the tax per VAT rate.
    pub totals: Totals,
    /// The amount paid.
    pub paid: Money,
    /// The amount credited; for a credit note, the amount allocated.
    pub credited: Money,
    /// The open amount; for a credit note, the unallocated amount.
    pub open: Money,
    /// The day of issue.
    #[schemars(with = "String")]
    pub issued_on: Date,
    /// The due date.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub due_on: Option<Date>,
    /// The early-payment discount, if agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early: Option<invoice::Early>,
    /// Whether it must be paid by split payment (mechanizm podzielonej płatności).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub split_payment: bool,
    /// The position of its issue; lists are sorted by it, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "InvoiceKind")]
pub enum Kind {
    /// An invoice.
    Invoice,
    /// A credit note.
    CreditNote,
}

/// The status of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "InvoiceStatus")]
pub enum Status {
    /// The whole amount is open.
    Issued,
    /// A part of the amount is open.
    PartPaid,
    /// An amount is open and the due date has passed.
    Overdue,
    /// No amount is open.
    Settled,
}

/// Which documents to list, and as of which day.
#[derive(Debug, Clone)]
pub struct Filter<'a> {
    /// The day that decides what is overdue.
    pub today: Date,
    /// Only this document.
    pub id: Option<Uuid>,
    /// Only this company.
    pub company: Option<Uuid>,
    /// Only this number.
    pub number: Option<&'a str>,
}

/// Documents, newest first, before `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    filter: &Filter<'_>,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Invoice>, ReadError> {
    found(client, LIST, filter, cursor, limit).await
}

/// The same without lines.
pub async fn summaries(
    client: &Client,
    filter: &Filter<'_>,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Invoice<Counted>>, ReadError> {
    found(client, HEADS, filter, cursor, limit).await
}

async fn found<L: DeserializeOwned>(
    client: &Client,
    sql: &str,
    filter: &Filter<'_>,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Invoice<L>>, ReadError> {
    let Filter { today, id, company, number } = filter;
    let rows = client.query(sql, &[today, id, company, number, &cursor, &limit]).await?;
    rows.iter().map(invoice_of).collect()
}

/// A credit note of an invoice: its lines and totals.
#[derive(Debug, Clone)]
pub struct Correcting {
    /// Its id.
    pub id: InvoiceId,
    /// The credited lines.
    pub lines: Lines,
    /// The totals, with the tax per VAT rate.
    pub totals: Totals,
}

/// The credit notes of an invoice, oldest first.
pub async fn correcting(client: &Client, invoice: InvoiceId) -> Result<Vec<Correcting>, ReadError> {
    let rows = client.query(CORRECTING, &[&invoice.0]).await?;
    let read = |row: &Row| {
        Ok(Correcting { id: InvoiceId(row.get(0)), lines: json(row, 1)?, totals: json(row, 2)? })
    };
    rows.iter().map(read).collect()
}

fn invoice_of<L: DeserializeOwned>(row: &Row) -> Result<Invoice<L>, ReadError> {
    let currency: Currency = parsed(row, "currency")?;
    Ok(Invoice {
        id: InvoiceId(row.get("id")),
        kind: word(row, "kind")?,
        number: word(row, "number")?,
        company: CompanyId(row.get("company_id")),
        order: row.get::<_, Option<Uuid>>("order_id").map(OrderId),
        shipment: row.get::<_, Option<Uuid>>("shipment_id").map(ShipmentId),
        corrects: row.get::<_, Option<Uuid>>("corrects").map(InvoiceId),
        said: json(row, "said")?,
        totals: json(row, "totals")?,
        paid: money(row, "paid", currency)?,
        credited: money(row, "credited", currency)?,
        open: money(row, "open", currency)?,
        issued_on: row.get("issued_on"),
        due_on: row.get("due_on"),
        created: row.get("created"),
        status: word(row, "status")?,
        early: json_or_none(row, "early")?,
        split_payment: row.get("split_payment"),
        buyer: json_or_none(row, "buyer")?,
    })
}
