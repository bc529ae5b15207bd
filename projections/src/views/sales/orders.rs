//! `orders`: orders with shipped quantities and status.

mod progress;

use std::collections::BTreeMap;

use domain::{
    Event, OrderId, ShipmentId, company::DeliveryAddress, credit_account::HoldReason, fulfilment,
    order, parties, sales, shipment,
};
use event_log::RecordedEvent;
use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, DocumentNumber, Projection, ReadError, aside, build,
    buyer::{Buyer, Buyers, buyer_of, buyers, buyers_table, place_of},
    document_number::Kind,
    heads::OrderHead,
    projection::change,
    row::{json, json_or_none, name_of, word},
};

/// Orders by id, and shipped quantities by shipment and line.
pub const PROJECTION: Projection = Projection {
    name: "orders",
    schema: concat!(
        buyers_table!("order_buyers"),
        "
        CREATE TABLE orders (
            id uuid PRIMARY KEY,
            company_id uuid NOT NULL,
            -- The company and the delivery address as they were when the order was placed.
            buyer jsonb,
            deliver_to jsonb,
            status text NOT NULL,
            terms jsonb NOT NULL,
            -- What lists show.
            head jsonb NOT NULL,
            placed_on date NOT NULL,
            -- The day for which delivery is promised.
            promised_on date,
            reason text,
            -- What had not left when the rest was cancelled: an array of items.
            cancelled jsonb NOT NULL DEFAULT '[]',
            -- Why it is on credit hold: an array of reasons; null while it is not.
            credit_hold jsonb,
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON orders (company_id, created);
        -- Those of which goods are to leave.
        CREATE INDEX ON orders (created) WHERE status IN ('confirmed', 'part_shipped');
        CREATE INDEX ON orders (promised_on, created)
            WHERE status IN ('confirmed', 'part_shipped') AND promised_on IS NOT NULL;
        -- Few orders are on hold.
        CREATE INDEX ON orders (created) WHERE credit_hold IS NOT NULL;
        CREATE TABLE order_shipments (
            order_id uuid NOT NULL,
            shipment_id uuid NOT NULL,
            line integer NOT NULL,
            quantity numeric NOT NULL,
            -- What became of the shipment: delivered or returned; missing while it is on its way.
            outcome text,
            PRIMARY KEY (order_id, shipment_id, line)
        );
        CREATE INDEX ON order_shipments (shipment_id)"
    ),
    tables: &["orders", "order_shipments", "order_buyers"],
    reads: &["order", "company", "shipment"],
    aside: aside::stream,
    apply,
    build: build::ORDERS,
};

const BUYERS: Buyers = buyers!("order_buyers", places);
const PLACE: &str = concat!(
    "
    INSERT INTO orders (id, company_id, status, terms, head, placed_on, created, buyer, deliver_to)
    VALUES ($1, $2, 'placed', $3, $4, $5, $6, ",
    buyer_of!("orders", "order_buyers", "$2"),
    ", ",
    place_of!("orders", "order_buyers", "$2", "$7::text"),
    ")"
);
const STATUS: &str = "UPDATE orders SET status = $2, reason = $3 WHERE id = $1";
const PROMISE: &str = "UPDATE orders SET promised_on = $2 WHERE id = $1";
const CLOSE: &str = "UPDATE orders SET status = $2, reason = $3, credit_hold = NULL WHERE id = $1";
const HOLD: &str = "UPDATE orders SET credit_hold = $2 WHERE id = $1";
const RELEASE: &str = "UPDATE orders SET credit_hold = NULL WHERE id = $1";
const CANCEL_REST: &str =
    "UPDATE orders SET status = 'shipped', reason = $2, cancelled = $3 WHERE id = $1";
/// Events of older builds may name a line twice in a shipment; commands refuse that now.
const SHIP: &str = "
    INSERT INTO order_shipments (order_id, shipment_id, line, quantity)
    SELECT $1, $2, line, sum(quantity)
    FROM unnest($3::integer[], $4::numeric[]) AS item(line, quantity) GROUP BY line";
const OUTCOME: &str = "UPDATE order_shipments SET outcome = $2 WHERE shipment_id = $1";

/// Whether anything of an order, and all that has left of it, was delivered.
macro_rules! delivered {
    () => {
        "(SELECT coalesce(bool_or(outcome = 'delivered'), false) FROM view.order_shipments
            WHERE order_id = orders.id) AS some_delivered,
        (SELECT coalesce(bool_and(outcome IS NOT DISTINCT FROM 'delivered'), false)
            FROM view.order_shipments WHERE order_id = orders.id) AS all_delivered,"
    };
}

/// The columns of whole orders.
macro_rules! whole {
    ($which:literal) => {
        concat!(
            "
    SELECT id, status, terms, placed_on, promised_on, reason, created, ",
            delivered!(),
            "
        (SELECT coalesce(jsonb_object_agg(line, delivered), '{}') FROM (
            SELECT line::text, sum(quantity)::text AS delivered FROM view.order_shipments
            WHERE order_id = orders.id AND outcome = 'delivered' GROUP BY line) AS by_line)
            AS delivered,
        (SELECT coalesce(jsonb_object_agg(line, shipped), '{}') FROM (
            SELECT line::text, sum(quantity)::text AS shipped FROM view.order_shipments
            WHERE order_id = orders.id GROUP BY line) AS by_line) AS shipped,
        (SELECT coalesce(jsonb_agg(DISTINCT shipment_id), '[]') FROM view.order_shipments
            WHERE order_id = orders.id) AS shipments,
        cancelled, buyer, deliver_to, credit_hold
    FROM view.orders ",
            $which
        )
    };
}

const LIST: &str = whole!(
    "WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR company_id = $2)
        AND ($3::text IS NULL OR status = $3) AND ($4::bigint IS NULL OR created < $4)
        AND ($6::boolean IS NULL OR (credit_hold IS NOT NULL) = $6)
    ORDER BY created DESC LIMIT $5"
);
const WAITING: &str = whole!(
    "WHERE status IN ('confirmed', 'part_shipped') AND ($1::bigint IS NULL OR created > $1)
    ORDER BY created LIMIT $2"
);

/// The columns of orders without their lines.
macro_rules! heads {
    ($which:literal) => {
        concat!(
            "
    SELECT id, status, head, placed_on, promised_on, reason, created, ",
            delivered!(),
            "
        (SELECT coalesce(jsonb_agg(DISTINCT shipment_id), '[]') FROM view.order_shipments
            WHERE order_id = orders.id) AS shipments, buyer, deliver_to, credit_hold
    FROM view.orders ",
            $which
        )
    };
}

const HEADS: &str = heads!(
    "WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR company_id = $2)
        AND ($3::text IS NULL OR status = $3) AND ($4::bigint IS NULL OR created < $4)
        AND ($6::boolean IS NULL OR (credit_hold IS NOT NULL) = $6)
    ORDER BY created DESC LIMIT $5"
);
const LATE: &str = heads!(
    "WHERE status IN ('confirmed', 'part_shipped') AND promised_on <= $1
        AND ($2::uuid IS NULL OR company_id = $2)
        AND ($3::date IS NULL OR (promised_on, created) > ($3, $4))
    ORDER BY promised_on, created LIMIT $5"
);

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let event = match event {
        Event::Sales(sales::Event::Order(event)) => event,
        Event::Parties(parties::Event::Company(event)) => {
            return BUYERS.changed(recorded, event).into_iter().collect();
        }
        Event::Fulfilment(fulfilment::Event::Shipment(event)) => {
            let outcome = outcome(event);
            let became = outcome.map(|outcome| change!(OUTCOME, recorded.stream_id, outcome));
            return became.into_iter().collect();
        }
        _ => return vec![],
    };
    let id = recorded.stream_id;
    let status = |status: &'static str| change!(STATUS, id, status, None::<String>);
    match event {
        order::Event::Placed { terms, on, .. } => vec![change!(
            PLACE,
            id,
            terms.company.0,
            Json(terms.clone()),
            Json(OrderHead::from(terms)),
            *on,
            recorded.position.0.cast_signed(),
            terms.destination.address.as_ref().map(ToString::to_string)
        )],
        order::Event::CreditHeld { reasons } => vec![change!(HOLD, id, Json(reasons.clone()))],
        order::Event::CreditReleased {} => vec![change!(RELEASE, id)],
        order::Event::ApprovalRequested { .. } => vec![status("awaiting_approval")],
        order::Event::StepApproved { .. } | order::Event::StepEscalated { .. } => vec![],
        order::Event::Approved {} => vec![status("placed")],
        order::Event::Refused { decision } => {
            vec![change!(CLOSE, id, "refused", decision.note.as_ref().map(ToString::to_string))]
        }
        order::Event::Confirmed {} => vec![status("confirmed")],
        order::Event::DeliveryPromised { on } => vec![change!(PROMISE, id, *on)],
        order::Event::Cancelled { reason } => {
            vec![change!(CLOSE, id, "cancelled", reason.as_ref().map(ToString::to_string))]
        }
        order::Event::RestCancelled { items, reason } => {
            let reason = reason.as_ref().map(ToString::to_string);
            vec![change!(CANCEL_REST, id, reason, Json(items.clone()))]
        }
        order::Event::PartShipped { shipment, items } => {
            vec![status("part_shipped"), shipped(id, *shipment, items)]
        }
        order::Event::Shipped { shipment, items } => {
            vec![status("shipped"), shipped(id, *shipment, items)]
        }
    }
}

/// What an event says about what became of a shipment.
fn outcome(event: &shipment::Event) -> Option<&'static str> {
    use shipment::Event as E;
    match event {
        E::Delivered { .. } => Some("delivered"),
        E::ReturnedToSender { .. } => Some("returned"),
        E::Prepared { .. }
        | E::Packed { .. }
        | E::Cancelled {}
        | E::Dispatched { .. }
        | E::FurtherOrderDispatched { .. }
        | E::DeliveryFailed { .. } => None,
    }
}

fn shipped(order: Uuid, shipment: ShipmentId, items: &[order::Item]) -> Change {
    let lines: Vec<i32> = items.iter().map(|item| item.line.cast_signed()).collect();
    let quantities: Vec<Decimal> = items.iter().map(|item| item.quantity.units()).collect();
    change!(SHIP, order, shipment.0, lines, quantities)
}

/// An order.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Its number.
    pub number: DocumentNumber,
    /// Its status.
    pub status: Status,
    /// How far its goods have got.
    pub fulfilment: Fulfilment,
    /// What was ordered.
    #[serde(flatten)]
    pub terms: order::Terms,
    /// The company's data on the day of the order; missing in records of older builds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buyer: Option<Buyer>,
    /// The delivery address on the day of the order, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliver_to: Option<DeliveryAddress>,
    /// The day of the order.
    #[schemars(with = "String")]
    pub placed_on: Date,
    /// The day for which the seller promises delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub promised_on: Option<Date>,
    /// Why it, or the rest of it, was cancelled, or it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The shipped quantities, by line number.
    pub shipped: BTreeMap<String, String>,
    /// The cancelled quantities, by line number, of an order that was shipped in part.
    pub cancelled: BTreeMap<String, String>,
    /// How far each line has got.
    pub progress: Vec<LineProgress>,
    /// The shipments in which it left.
    pub shipments: Vec<ShipmentId>,
    /// Why it is on credit hold; missing while it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit_hold: Option<Vec<HoldReason>>,
    /// Where in the log it was placed; lists are in this order, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// An order in a list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OrderSummary {
    /// Its id.
    pub id: OrderId,
    /// Its number.
    pub number: DocumentNumber,
    /// Its status.
    pub status: Status,
    /// How far its goods have got.
    pub fulfilment: Fulfilment,
    /// What was ordered, without its lines.
    #[serde(flatten)]
    pub head: OrderHead,
    /// The company's data on the day of the order; missing in records of older builds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buyer: Option<Buyer>,
    /// The delivery address on the day of the order, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliver_to: Option<DeliveryAddress>,
    /// The day of the order.
    #[schemars(with = "String")]
    pub placed_on: Date,
    /// The day for which the seller promises delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub promised_on: Option<Date>,
    /// Why it was cancelled or refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its shipments.
    pub shipments: Vec<ShipmentId>,
    /// Why it is on credit hold; missing while it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit_hold: Option<Vec<HoldReason>>,
    /// Where in the log it was placed; lists are in this order, newest first.
    #[serde(skip)]
    pub created: i64,
}

pub use progress::{Fulfilment, LineProgress};

/// How far an order has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "OrderStatus")]
pub enum Status {
    /// Awaits approval in the company.
    AwaitingApproval,
    /// Approval was refused.
    Refused,
    /// Placed.
    Placed,
    /// Confirmed by the seller.
    Confirmed,
    /// Shipped in part.
    PartShipped,
    /// Shipped completely, or the rest was cancelled.
    Shipped,
    /// Cancelled as a whole.
    Cancelled,
}

/// Which orders to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this order.
    pub id: Option<Uuid>,
    /// Only this company.
    pub company: Option<Uuid>,
    /// Only this status.
    pub status: Option<Status>,
    /// Those that are on credit hold, or those that are not.
    pub on_credit_hold: Option<bool>,
}

/// Orders, newest first, before `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    filter: &Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Order>, ReadError> {
    let Filter { id, company, status, on_credit_hold } = filter;
    let status = status.as_ref().map(name_of);
    let rows = client.query(LIST, &[id, company, &status, &cursor, &limit, on_credit_hold]).await?;
    rows.iter().map(order_of).collect()
}

/// The same without lines.
pub async fn summaries(
    client: &Client,
    filter: &Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<OrderSummary>, ReadError> {
    let Filter { id, company, status, on_credit_hold } = filter;
    let status = status.as_ref().map(name_of);
    let rows =
        client.query(HEADS, &[id, company, &status, &cursor, &limit, on_credit_hold]).await?;
    rows.iter().map(summary_of).collect()
}

/// Orders of which goods are to leave and delivery is promised for that day or earlier, the
/// earliest first, from after `cursor`, at most `limit`.
pub async fn late(
    client: &Client,
    until: Date,
    company: Option<Uuid>,
    cursor: Option<(Date, i64)>,
    limit: i64,
) -> Result<Vec<OrderSummary>, ReadError> {
    let (day, created) = cursor.unzip();
    let rows = client.query(LATE, &[&until, &company, &day, &created, &limit]).await?;
    rows.iter().map(summary_of).collect()
}

/// Confirmed orders of which goods are to leave, oldest first, from after `cursor`, at most
/// `limit`.
pub async fn waiting(
    client: &Client,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Order>, ReadError> {
    let rows = client.query(WAITING, &[&cursor, &limit]).await?;
    rows.iter().map(order_of).collect()
}

fn summary_of(row: &Row) -> Result<OrderSummary, ReadError> {
    let (placed_on, created) = (row.get("placed_on"), row.get("created"));
    let status = word(row, "status")?;
    Ok(OrderSummary {
        id: OrderId(row.get("id")),
        number: DocumentNumber::of(Kind::Order, placed_on, created),
        status,
        fulfilment: fulfilment_of(row, status),
        head: json(row, "head")?,
        placed_on,
        promised_on: row.get("promised_on"),
        reason: row.get("reason"),
        created,
        shipments: json(row, "shipments")?,
        buyer: json_or_none(row, "buyer")?,
        deliver_to: json_or_none(row, "deliver_to")?,
        credit_hold: json_or_none(row, "credit_hold")?,
    })
}

fn fulfilment_of(row: &Row, status: Status) -> Fulfilment {
    Fulfilment::of(status, row.get("some_delivered"), row.get("all_delivered"))
}

fn order_of(row: &Row) -> Result<Order, ReadError> {
    let (placed_on, created) = (row.get("placed_on"), row.get("created"));
    let (status, terms): (_, order::Terms) = (word(row, "status")?, json(row, "terms")?);
    let shipped: BTreeMap<String, String> = json(row, "shipped")?;
    let cancelled: BTreeMap<String, String> = json::<Vec<order::Item>>(row, "cancelled")?
        .into_iter()
        .map(|item| (item.line.to_string(), item.quantity.to_string()))
        .collect();
    let delivered = json(row, "delivered")?;
    Ok(Order {
        id: OrderId(row.get("id")),
        number: DocumentNumber::of(Kind::Order, placed_on, created),
        status,
        fulfilment: fulfilment_of(row, status),
        progress: progress::of(&terms, status, [&shipped, &delivered, &cancelled]),
        terms,
        placed_on,
        promised_on: row.get("promised_on"),
        reason: row.get("reason"),
        created,
        shipped,
        shipments: json(row, "shipments")?,
        cancelled,
        buyer: json_or_none(row, "buyer")?,
        deliver_to: json_or_none(row, "deliver_to")?,
        credit_hold: json_or_none(row, "credit_hold")?,
    })
}
