//! `account_balances`: balance per company and currency, with the open invoices.

use domain::{
    CompanyId, Currency, Event, InvoiceId, Money, PaymentId, billing, invoice, payment,
    policies::{
        booked_payment_is_allocated::OpenInvoice,
        issued_document_is_settled::{Source, Unused},
    },
};
use event_log::RecordedEvent;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError, aside, build,
    projection::change,
    row::{is_capped, money, parsed, word, word_or_none},
};

/// Sums per company and currency, and the invoices with an open amount.
///
/// Always: balance = invoiced − credited − paid = open − unallocated.
pub const PROJECTION: Projection = Projection {
    name: "account_balances",
    schema: "
        CREATE TABLE account_balances (
            company_id uuid NOT NULL,
            currency text NOT NULL CHECK (octet_length(currency) <= 3),
            invoiced numeric NOT NULL DEFAULT 0,
            credited numeric NOT NULL DEFAULT 0,
            paid numeric NOT NULL DEFAULT 0,
            open numeric NOT NULL DEFAULT 0,
            unallocated numeric NOT NULL DEFAULT 0,
            PRIMARY KEY (company_id, currency)
        );
        CREATE TABLE open_invoices (
            invoice_id uuid PRIMARY KEY,
            company_id uuid NOT NULL,
            currency text NOT NULL CHECK (octet_length(currency) <= 3),
            number text NOT NULL,
            due_on date NOT NULL,
            open numeric NOT NULL
        );
        CREATE INDEX ON open_invoices (company_id, currency, due_on);
        -- Payments and credit notes of which something is not set against an invoice.
        CREATE TABLE unused_credits (
            id uuid PRIMARY KEY,
            is_payment boolean NOT NULL,
            company_id uuid NOT NULL,
            currency text NOT NULL CHECK (octet_length(currency) <= 3),
            -- The number of the invoice that the payer named.
            names text,
            dated date NOT NULL,
            amount numeric NOT NULL,
            created bigint NOT NULL
        );
        CREATE INDEX ON unused_credits (company_id, currency, dated, created)",
    tables: &["account_balances", "open_invoices", "unused_credits"],
    reads: &["invoice", "payment"],
    aside: aside::company,
    apply,
    build: build::ACCOUNT_BALANCES,
};

const ADD: &str = "
    INSERT INTO account_balances AS present
        (company_id, currency, invoiced, credited, paid, open, unallocated)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (company_id, currency) DO UPDATE SET
        invoiced = present.invoiced + excluded.invoiced,
        credited = present.credited + excluded.credited,
        paid = present.paid + excluded.paid,
        open = present.open + excluded.open,
        unallocated = present.unallocated + excluded.unallocated";
const OPEN: &str = "
    INSERT INTO open_invoices (invoice_id, company_id, currency, number, due_on, open)
    SELECT $1, $2, $3, $4, $5, $6 WHERE $6::numeric > 0";
const REDUCE: &str = "UPDATE open_invoices SET open = open - $2 WHERE invoice_id = $1";
const CLOSE: &str = "DELETE FROM open_invoices WHERE invoice_id = $1 AND open = 0";
const LEAVE: &str = "
    INSERT INTO unused_credits
        (id, is_payment, company_id, currency, names, dated, amount, created)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE $7::numeric > 0";
const USE: &str = "UPDATE unused_credits SET amount = amount - $2 WHERE id = $1";
const USE_UP: &str = "DELETE FROM unused_credits WHERE id = $1 AND amount = 0";
const LIST: &str = "
    SELECT b.company_id, b.currency, least(b.invoiced, $7) AS invoiced,
        least(b.credited, $7) AS credited, least(b.paid, $7) AS paid,
        greatest(least(b.invoiced - b.credited - b.paid, $7), -$7::numeric) AS balance,
        least(b.open, $7) AS open, least(b.unallocated, $7) AS unallocated,
        least(coalesce((SELECT sum(i.open) FROM view.open_invoices i
            WHERE i.company_id = b.company_id AND i.currency = b.currency AND i.due_on < $1), 0), $7)
            AS overdue,
        c.name, c.reference
    FROM view.account_balances b LEFT JOIN view.companies c ON c.id = b.company_id
    WHERE ($2::uuid IS NULL OR b.company_id = $2) AND ($3::text IS NULL OR c.reference = $3)
        AND ($4::uuid IS NULL OR (b.company_id, b.currency) > ($4, $5::text))
    ORDER BY b.company_id, b.currency LIMIT $6";
const OPEN_INVOICES: &str = "
    SELECT invoice_id, number, due_on, open, currency FROM view.open_invoices
    WHERE company_id = $1 AND currency = $2
    ORDER BY due_on, number";
const UNUSED: &str = "
    SELECT id, is_payment, names, amount, currency FROM view.unused_credits
    WHERE company_id = $1 AND currency = $2
    ORDER BY dated, created";

/// The amounts that an event adds to the sums of a company.
#[derive(Clone, Copy)]
struct Delta {
    invoiced: Money,
    credited: Money,
    paid: Money,
    open: Money,
    unallocated: Money,
}

impl Delta {
    fn none(currency: Currency) -> Self {
        let zero = Money::zero(currency);
        Self { invoiced: zero, credited: zero, paid: zero, open: zero, unallocated: zero }
    }

    fn change(self, company: CompanyId) -> Change {
        change!(
            ADD,
            company.0,
            self.invoiced.currency().code(),
            self.invoiced.amount(),
            self.credited.amount(),
            self.paid.amount(),
            self.open.amount(),
            self.unallocated.amount()
        )
    }
}

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Billing(event) = event else { return vec![] };
    match event {
        billing::Event::Invoice(event) => invoice_changes(recorded, event),
        billing::Event::Payment(event) => payment_changes(recorded, event),
        // Their credit notes are documents of their own.
        billing::Event::GoodsReturn(_)
        | billing::Event::InvoiceReturns(_)
        | billing::Event::Series(_) => vec![],
    }
}

fn invoice_changes(recorded: &RecordedEvent, event: &invoice::Event) -> Vec<Change> {
    let id = recorded.stream_id;
    match event {
        invoice::Event::Issued { number, company, currency, totals, due_on, .. } => {
            let gross = totals.gross;
            let delta = Delta { invoiced: gross, open: gross, ..Delta::none(*currency) };
            let open = change!(
                OPEN,
                id,
                company.0,
                currency.code(),
                number.to_string(),
                *due_on,
                gross.amount()
            );
            vec![delta.change(*company), open]
        }
        invoice::Event::CreditNoteIssued { company, currency, totals, on, .. } => {
            let gross = totals.gross;
            let delta = Delta { credited: gross, unallocated: gross, ..Delta::none(*currency) };
            let leave = change!(
                LEAVE,
                id,
                false,
                company.0,
                currency.code(),
                None::<String>,
                *on,
                gross.amount(),
                recorded.position.0.cast_signed()
            );
            vec![delta.change(*company), leave]
        }
        // The credit note has an event of its own.
        invoice::Event::Corrected { .. } => vec![],
        invoice::Event::PartPaid { amount, .. }
        | invoice::Event::Paid { amount, .. }
        | invoice::Event::Credited { amount, .. } => {
            let mut changes = of_company(recorded, |delta| delta.open = less(*amount), *amount);
            changes.push(change!(REDUCE, id, amount.amount()));
            changes.push(change!(CLOSE, id));
            changes
        }
        invoice::Event::CreditGiven { amount, .. } => used(recorded, *amount),
    }
}

fn payment_changes(recorded: &RecordedEvent, event: &payment::Event) -> Vec<Change> {
    match event {
        payment::Event::Booked { booking } => {
            let amount = booking.amount;
            let none = Delta::none(amount.currency());
            let delta = Delta { paid: amount, unallocated: amount, ..none };
            let leave = change!(
                LEAVE,
                recorded.stream_id,
                true,
                booking.company.0,
                amount.currency().code(),
                booking.names.as_ref().map(ToString::to_string),
                booking.on,
                amount.amount(),
                recorded.position.0.cast_signed()
            );
            vec![delta.change(booking.company), leave]
        }
        payment::Event::Allocated { amount, .. } => used(recorded, *amount),
    }
}

/// An allocation of the payment or credit note of this event to an invoice.
fn used(recorded: &RecordedEvent, amount: Money) -> Vec<Change> {
    let mut changes = of_company(recorded, |delta| delta.unallocated = less(amount), amount);
    changes.push(change!(USE, recorded.stream_id, amount.amount()));
    changes.push(change!(USE_UP, recorded.stream_id));
    changes
}

/// A change of the sums of the company in the event's envelope.
fn of_company(
    recorded: &RecordedEvent,
    set: impl FnOnce(&mut Delta),
    amount: Money,
) -> Vec<Change> {
    let mut delta = Delta::none(amount.currency());
    set(&mut delta);
    recorded.company_id.map(|company| delta.change(CompanyId(company))).into_iter().collect()
}

fn less(amount: Money) -> Money {
    Money::zero(amount.currency()).minus(amount).unwrap_or(amount)
}

/// The balance of a company in one currency.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AccountBalance {
    /// The company.
    pub company: CompanyId,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The seller's reference of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The currency.
    pub currency: Currency,
    /// The sum of all invoices.
    pub invoiced: Money,
    /// The sum of all credit notes.
    pub credited: Money,
    /// The sum of all booked payments.
    pub paid: Money,
    /// The balance: invoiced − credited − paid; negative if the seller owes.
    pub balance: Money,
    /// The open amount of its invoices.
    pub open: Money,
    /// The amount of payments and credit notes that is not allocated.
    pub unallocated: Money,
    /// The open amount of invoices that are overdue on the requested day.
    pub overdue: Money,
    /// Whether a sum exceeds the largest amount and is shown as the largest, which only records of
    /// older builds can cause. All other sums are exact.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    pub is_capped: bool,
}

/// Which balances to list, and as of which day.
#[derive(Debug, Clone)]
pub struct Filter<'a> {
    /// The day that decides what is overdue.
    pub today: Date,
    /// Only this company.
    pub company: Option<Uuid>,
    /// Only the company with this reference of the seller.
    pub reference: Option<&'a str>,
}

/// Balances by company and currency, after `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    filter: &Filter<'_>,
    cursor: Option<(Uuid, String)>,
    limit: i64,
) -> Result<Vec<AccountBalance>, ReadError> {
    let Filter { today, company, reference } = filter;
    let (after_company, after_currency) = cursor.unzip();
    let rows = client
        .query(
            LIST,
            &[
                today,
                company,
                reference,
                &after_company,
                &after_currency,
                &limit,
                &Money::LARGEST_SUM,
            ],
        )
        .await?;
    rows.iter().map(balance_of).collect()
}

/// A company's open invoices in one currency, oldest first.
pub async fn open_invoices(
    client: &Client,
    company: CompanyId,
    currency: Currency,
) -> Result<Vec<OpenInvoice>, ReadError> {
    let rows = client.query(OPEN_INVOICES, &[&company.0, &currency.code()]).await?;
    rows.iter()
        .map(|row| {
            Ok(OpenInvoice {
                id: InvoiceId(row.get("invoice_id")),
                number: word(row, "number")?,
                due_on: row.get("due_on"),
                open: money(row, "open", parsed(row, "currency")?)?,
            })
        })
        .collect()
}

/// A company's payments and credit notes with an unallocated amount in one currency, oldest first.
pub async fn unused(
    client: &Client,
    company: CompanyId,
    currency: Currency,
) -> Result<Vec<Unused>, ReadError> {
    let rows = client.query(UNUSED, &[&company.0, &currency.code()]).await?;
    rows.iter()
        .map(|row| {
            let id: Uuid = row.get("id");
            let is_payment: bool = row.get("is_payment");
            let source = if is_payment {
                Source::Payment(PaymentId(id))
            } else {
                Source::CreditNote(InvoiceId(id))
            };
            Ok(Unused {
                source,
                names: word_or_none(row, "names")?,
                amount: money(row, "amount", parsed(row, "currency")?)?,
            })
        })
        .collect()
}

fn balance_of(row: &Row) -> Result<AccountBalance, ReadError> {
    let currency: Currency = parsed(row, "currency")?;
    let sum = |column: &str| money(row, column, currency);
    let sums = [
        sum("invoiced")?,
        sum("credited")?,
        sum("paid")?,
        sum("balance")?,
        sum("open")?,
        sum("unallocated")?,
        sum("overdue")?,
    ];
    let [invoiced, credited, paid, balance, open, unallocated, overdue] = sums;
    Ok(AccountBalance {
        company: CompanyId(row.get("company_id")),
        currency,
        invoiced,
        credited,
        paid,
        balance,
        open,
        unallocated,
        overdue,
        is_capped: sums.into_iter().any(is_capped),
        name: row.get("name"),
        reference: row.get("reference"),
    })
}
