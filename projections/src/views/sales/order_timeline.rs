//! `order_timeline`: all that happened to an order, also in its shipments and invoices.

use domain::{
    Attachment, CompanyId, Event, InvoiceId, Money, Name, Note, OrderId, PaymentId, PickListId,
    Reference, ShipmentId, billing, fulfilment, invoice,
    order::{self, Item},
    picking, sales,
    shipment::{self, Dispatch, FailureReason},
};
use event_log::RecordedEvent;
use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{Change, Projection, ReadError, aside, build, projection::change, row::json};

/// Entries by order and position.
pub const PROJECTION: Projection = Projection {
    name: "order_timeline",
    schema: "
        -- Which orders the events of a stream concern: the order itself, and those of a shipment, of
        -- an invoice or of a credit note.
        CREATE TABLE order_timeline_subjects (
            subject_id uuid NOT NULL,
            order_id uuid NOT NULL,
            company_id uuid NOT NULL,
            PRIMARY KEY (subject_id, order_id)
        );
        CREATE TABLE order_timeline (
            order_id uuid NOT NULL,
            position bigint NOT NULL,
            event text NOT NULL,
            recorded_at timestamptz NOT NULL,
            actor text NOT NULL,
            -- Whether it tells of invoices and payments, which not every role reads.
            accounts boolean NOT NULL,
            -- Whether only the seller sees it.
            internal boolean NOT NULL,
            details jsonb NOT NULL,
            PRIMARY KEY (order_id, position)
        )",
    tables: &["order_timeline", "order_timeline_subjects"],
    reads: &["order", "picking", "shipment", "invoice"],
    aside: aside::stream,
    apply,
    build: build::ORDER_TIMELINE,
};

const SUBJECT: &str = "
    INSERT INTO order_timeline_subjects (subject_id, order_id, company_id)
    SELECT $1, order_id, $3 FROM unnest($2::uuid[]) AS order_id ON CONFLICT DO NOTHING";
/// A credit note concerns the orders of the invoice that it corrects.
const CREDIT_NOTE: &str = "
    INSERT INTO order_timeline_subjects (subject_id, order_id, company_id)
    SELECT $1, order_id, company_id FROM order_timeline_subjects WHERE subject_id = $2
    ON CONFLICT DO NOTHING";
const ENTRY: &str = "
    INSERT INTO order_timeline
        (order_id, position, event, recorded_at, actor, accounts, internal, details)
    SELECT order_id, $2, $3, $4, $5, $6, $7, $8 FROM order_timeline_subjects WHERE subject_id = $1";
const COMPANY: &str = "
    SELECT company_id FROM view.order_timeline_subjects WHERE subject_id = $1 AND order_id = $1";
const LIST: &str = "
    SELECT position, event, recorded_at, actor, details FROM view.order_timeline
    WHERE order_id = $1 AND ($2 OR NOT accounts) AND ($3 OR NOT internal)
        AND position > $4
    ORDER BY position LIMIT $5";

/// What an entry says besides what happened, each where there is such a thing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "OrderTimelineDetails")]
pub struct Details {
    /// The shipment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment: Option<ShipmentId>,
    /// The pick list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pick_list: Option<PickListId>,
    /// The invoice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<InvoiceId>,
    /// The credit note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_note: Option<InvoiceId>,
    /// The payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentId>,
    /// The number of the invoice or credit note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// How much money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// Which lines of the order, and how much of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
    /// The day that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub on: Option<Date>,
    /// The time that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Who carries the goods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub courier: Option<Name>,
    /// The carrier's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<Reference>,
    /// How many parcels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parcels: Option<u32>,
    /// Who took the goods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_by: Option<Name>,
    /// The proof of the delivery, by reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Attachment>,
    /// Why the delivery failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureReason>,
    /// The step of an approval, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// What was said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// An entry: whether it tells of accounts or only the seller of itself, and what it says.
#[derive(Default)]
struct Entry {
    accounts: bool,
    internal: bool,
    details: Details,
}

impl From<Details> for Entry {
    fn from(details: Details) -> Self {
        Self { details, ..Self::default() }
    }
}

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let id = recorded.stream_id;
    match event {
        Event::Sales(sales::Event::Order(event)) => {
            let begins = match event {
                order::Event::Placed { terms, .. } => Some(concerns(id, vec![id], terms.company)),
                _ => None,
            };
            let entry = entry(recorded, id, of_order(event).into());
            begins.into_iter().chain([entry]).collect()
        }
        Event::Fulfilment(fulfilment::Event::Shipment(event)) => {
            of_shipment(recorded, ShipmentId(id), event)
        }
        Event::Fulfilment(fulfilment::Event::Picking(event)) => vec![of_picking(recorded, event)],
        Event::Billing(billing::Event::Invoice(event)) => {
            of_invoice(recorded, InvoiceId(id), event)
        }
        _ => vec![],
    }
}

/// The events of a stream concern these orders.
fn concerns(subject: Uuid, orders: Vec<Uuid>, company: CompanyId) -> Change {
    change!(SUBJECT, subject, orders, company.0)
}

/// An entry for every order that a stream concerns.
fn entry(recorded: &RecordedEvent, subject: Uuid, entry: Entry) -> Change {
    let Entry { accounts, internal, details } = entry;
    change!(
        ENTRY,
        subject,
        recorded.position.0.cast_signed(),
        recorded.event_type.clone(),
        recorded.recorded_at,
        recorded.actor.clone(),
        accounts,
        internal,
        Json(details)
    )
}

fn of_order(event: &order::Event) -> Details {
    use order::Event as E;
    let none = Details::default;
    match event {
        E::Placed { on, .. } | E::DeliveryPromised { on } => Details { on: Some(*on), ..none() },
        E::StepApproved { decision } | E::Refused { decision } => {
            Details { note: decision.note.clone(), ..none() }
        }
        E::StepEscalated { step, .. } => Details { step: Some(*step), ..none() },
        E::CreditHeld { .. }
        | E::CreditReleased {}
        | E::ApprovalRequested { .. }
        | E::Approved {}
        | E::Confirmed {} => none(),
        E::Cancelled { reason } => Details { note: reason.clone(), ..none() },
        E::RestCancelled { items, reason } => {
            Details { items: items.clone(), note: reason.clone(), ..none() }
        }
        E::PartShipped { shipment, items } | E::Shipped { shipment, items } => {
            Details { shipment: Some(*shipment), items: items.clone(), ..none() }
        }
    }
}

/// What was put on lists is the seller's affair, what was picked also the company's.
fn of_picking(recorded: &RecordedEvent, event: &picking::Event) -> Change {
    use picking::Event as E;
    let (order, pick_list, items, internal) = match event {
        E::Assigned { order, pick_list, items } => (order, pick_list, items.clone(), true),
        E::Picked { order, pick_list, items } => (order, pick_list, items.clone(), false),
        E::Released { order, pick_list } => (order, pick_list, vec![], true),
    };
    let details = Details { pick_list: Some(*pick_list), items, ..Details::default() };
    entry(recorded, order.0, Entry { internal, details, ..Entry::default() })
}

fn of_shipment(recorded: &RecordedEvent, id: ShipmentId, event: &shipment::Event) -> Vec<Change> {
    use shipment::Event as E;
    let none = || Details { shipment: Some(id), ..Details::default() };
    let left = |dispatch: &Dispatch| {
        let Dispatch { order, company, courier, tracking, on, .. } = dispatch.clone();
        let details = Details { courier, tracking, on: Some(on), ..none() };
        vec![concerns(id.0, vec![order.0], company), entry(recorded, order.0, details.into())]
    };
    let details = match event {
        E::Dispatched { dispatch } | E::FurtherOrderDispatched { dispatch } => {
            return left(dispatch);
        }
        E::Prepared { preparation } => {
            let orders: Vec<Uuid> = preparation.orders.iter().map(|part| part.order.0).collect();
            let details = Details {
                courier: preparation.courier.clone(),
                on: Some(preparation.on),
                ..none()
            };
            let concerned = concerns(id.0, orders, preparation.company);
            return vec![concerned, entry(recorded, id.0, details.into())];
        }
        E::Packed { parcels } => Details { parcels: u32::try_from(parcels.len()).ok(), ..none() },
        E::Cancelled {} => none(),
        E::Delivered { proof } => Details {
            received_by: Some(proof.received_by.clone()),
            at: Some(proof.at),
            document: proof.document.clone(),
            ..none()
        },
        E::DeliveryFailed { failure } => Details {
            failure: Some(failure.reason),
            at: Some(failure.at),
            note: failure.note.clone(),
            ..none()
        },
        E::ReturnedToSender { returned } => {
            Details { at: Some(returned.at), note: returned.note.clone(), ..none() }
        }
    };
    vec![entry(recorded, id.0, details.into())]
}

fn of_invoice(recorded: &RecordedEvent, id: InvoiceId, event: &invoice::Event) -> Vec<Change> {
    use invoice::Event as E;
    let none = || Details { invoice: Some(id), ..Details::default() };
    let told = |details: Details| {
        entry(recorded, id.0, Entry { accounts: true, details, ..Entry::default() })
    };
    match event {
        E::Issued { number, company, order, shipment, totals, on, .. } => {
            let details = Details {
                shipment: Some(*shipment),
                number: Some(number.as_str().to_owned()),
                amount: Some(totals.gross),
                on: Some(*on),
                ..none()
            };
            vec![concerns(id.0, vec![order.0], *company), told(details)]
        }
        E::CreditNoteIssued { number, corrects: Some(corrects), totals, reason, on, .. } => {
            let details = Details {
                invoice: Some(*corrects),
                credit_note: Some(id),
                number: Some(number.as_str().to_owned()),
                amount: Some(totals.gross),
                on: Some(*on),
                note: reason.clone(),
                ..Details::default()
            };
            vec![change!(CREDIT_NOTE, id.0, corrects.0), told(details)]
        }
        E::PartPaid { payment, amount } | E::Paid { payment, amount } => {
            vec![told(Details { payment: Some(*payment), amount: Some(*amount), ..none() })]
        }
        E::Credited { credit_note, amount } => {
            vec![told(Details { credit_note: Some(*credit_note), amount: Some(*amount), ..none() })]
        }
        // The credit note tells of itself.
        E::CreditNoteIssued { corrects: None, .. }
        | E::Corrected { .. }
        | E::CreditGiven { .. } => {
            vec![]
        }
    }
}

/// Something that happened to an order.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "OrderTimelineEntry")]
pub struct TimelineEntry {
    /// Where in the log it is.
    pub position: u64,
    /// What happened, such as `shipment.delivered`.
    pub event: String,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Who did it; to a company, whoever did it for the seller is `seller`.
    pub actor: String,
    /// What there is to say about it.
    pub details: Details,
}

/// Whose order it is; `None` when there is no such order.
pub async fn company(client: &Client, order: OrderId) -> Result<Option<CompanyId>, ReadError> {
    let row = client.query_opt(COMPANY, &[&order.0]).await?;
    Ok(row.map(|row| CompanyId(row.get("company_id"))))
}

/// What of a timeline is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Also what concerns invoices and payments.
    pub accounts: bool,
    /// Also what only the seller sees.
    pub internal: bool,
}

/// What happened to an order after a position, the oldest first, at most `limit`.
pub async fn list(
    client: &Client,
    order: OrderId,
    Wanted { accounts, internal }: Wanted,
    after: i64,
    limit: i64,
) -> Result<Vec<TimelineEntry>, ReadError> {
    let rows = client.query(LIST, &[&order.0, &accounts, &internal, &after, &limit]).await?;
    let entry = |row: &Row| {
        Ok(TimelineEntry {
            position: row.get::<_, i64>("position").cast_unsigned(),
            event: row.get("event"),
            recorded_at: row.get("recorded_at"),
            actor: row.get("actor"),
            details: json(row, "details")?,
        })
    };
    rows.iter().map(entry).collect()
}
