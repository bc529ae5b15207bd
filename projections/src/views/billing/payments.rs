//! `payments`: received payments and their allocations.

use std::collections::BTreeMap;

use domain::{
    CompanyId, Currency, Event, InvoiceId, Money, PaymentId, billing, payment, series::Number,
};
use event_log::RecordedEvent;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use crate::{
    Change, DocumentNumber, Projection, ReadError, aside, build,
    document_number::Kind,
    projection::change,
    row::{json, money, name_of, parsed, word},
};

/// Payments by id, and their allocations.
pub const PROJECTION: Projection = Projection {
    name: "payments",
    schema: "
        CREATE TABLE payments (
            id uuid PRIMARY KEY,
            company_id uuid NOT NULL,
            currency text NOT NULL,
            amount numeric NOT NULL,
            method text NOT NULL,
            booked_on date NOT NULL,
            names text,
            title text,
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON payments (company_id, created);
        CREATE TABLE payment_allocations (
            position bigint PRIMARY KEY,
            payment_id uuid NOT NULL,
            invoice_id uuid NOT NULL,
            amount numeric NOT NULL
        );
        CREATE INDEX ON payment_allocations (payment_id)",
    tables: &["payments", "payment_allocations"],
    reads: &["payment"],
    aside: aside::stream,
    apply,
    build: build::PAYMENTS,
};

const BOOK: &str = "
    INSERT INTO payments (id, company_id, currency, amount, method, booked_on, names, title,
        created)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const ALLOCATE: &str = "
    INSERT INTO payment_allocations (position, payment_id, invoice_id, amount)
    VALUES ($1, $2, $3, $4)";
const LIST: &str = "
    SELECT id, company_id, currency, amount, method, booked_on, names, title, created,
        amount - coalesce((SELECT sum(a.amount) FROM view.payment_allocations a
            WHERE a.payment_id = payments.id), 0) AS unallocated,
        (SELECT coalesce(jsonb_object_agg(invoice_id, amount), '{}') FROM (
            SELECT invoice_id, sum(amount)::text AS amount FROM view.payment_allocations
            WHERE payment_id = payments.id GROUP BY invoice_id) AS by_invoice)
            AS allocations
    FROM view.payments
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR company_id = $2)
        AND ($3::bigint IS NULL OR created < $3)
    ORDER BY created DESC LIMIT $4";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Billing(billing::Event::Payment(event)) = event else { return vec![] };
    let (id, position) = (recorded.stream_id, recorded.position.0.cast_signed());
    match event {
        payment::Event::Booked { booking } => vec![change!(
            BOOK,
            id,
            booking.company.0,
            booking.amount.currency().code(),
            booking.amount.amount(),
            name_of(&booking.method),
            booking.on,
            booking.names.as_ref().map(ToString::to_string),
            booking.title.as_ref().map(ToString::to_string),
            position
        )],
        payment::Event::Allocated { invoice, amount } => {
            vec![change!(ALLOCATE, position, id, invoice.0, amount.amount())]
        }
    }
}

/// A received payment.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// Its number.
    pub number: DocumentNumber,
    /// The company.
    pub company: CompanyId,
    /// The amount.
    pub amount: Money,
    /// The unallocated amount, a credit of the company.
    pub unallocated: Money,
    /// The allocations by invoice, in the payment's currency.
    pub allocations: BTreeMap<InvoiceId, String>,
    /// The method of payment.
    pub method: payment::Method,
    /// The day of receipt.
    #[schemars(with = "String")]
    pub booked_on: Date,
    /// The invoice number that the payer gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names: Option<Number>,
    /// The payment reference, such as the title of the transfer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The position of its booking; lists are sorted by it, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// Payments, newest first, before `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    id: Option<Uuid>,
    company: Option<Uuid>,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Payment>, ReadError> {
    let rows = client.query(LIST, &[&id, &company, &cursor, &limit]).await?;
    rows.iter().map(payment_of).collect()
}

fn payment_of(row: &Row) -> Result<Payment, ReadError> {
    let currency: Currency = parsed(row, "currency")?;
    let names: Option<String> = row.get("names");
    let (booked_on, created) = (row.get("booked_on"), row.get("created"));
    Ok(Payment {
        id: PaymentId(row.get("id")),
        number: DocumentNumber::of(Kind::Payment, booked_on, created),
        company: CompanyId(row.get("company_id")),
        amount: money(row, "amount", currency)?,
        method: word(row, "method")?,
        booked_on,
        names: names.map(|n| Number::try_from(n).map_err(|_| ReadError::Malformed)).transpose()?,
        title: row.get("title"),
        created,
        unallocated: money(row, "unallocated", currency)?,
        allocations: json(row, "allocations")?,
    })
}
