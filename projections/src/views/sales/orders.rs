//! `orders`: orders with shipped quantities and status.

use std::collections::BTreeMap;

use domain::{Event, OrderId, ShipmentId, company::DeliveryAddress, order, parties, sales};
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
            reason text,
            -- What had not left when the rest was cancelled: an array of items.
            cancelled jsonb NOT NULL DEFAULT '[]',
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON orders (company_id, created);
        CREATE TABLE order_shipments (
            order_id uuid NOT NULL,
            shipment_id uuid NOT NULL,
            line integer NOT NULL,
            quantity numeric NOT NULL,
            PRIMARY KEY (order_id, shipment_id, line)
        )"
    ),
    tables: &["orders", "order_shipments", "order_buyers"],
    reads: &["order", "company"],
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
const CANCEL_REST: &str =
    "UPDATE orders SET status = 'shipped', reason = $2, cancelled = $3 WHERE id = $1";
/// Events of older builds may name a line twice in a shipment; commands refuse that now.
const SHIP: &str = "
    INSERT INTO order_shipments (order_id, shipment_id, line, quantity)
    SELECT $1, $2, line, sum(quantity)
    FROM unnest($3::integer[], $4::numeric[]) AS item(line, quantity) GROUP BY line";
const LIST: &str = "
    SELECT id, status, terms, placed_on, reason, created,
        (SELECT coalesce(jsonb_object_agg(line, shipped), '{}') FROM (
            SELECT line::text, sum(quantity)::text AS shipped FROM view.order_shipments
            WHERE order_id = orders.id GROUP BY line) AS by_line) AS shipped,
        (SELECT coalesce(jsonb_agg(DISTINCT shipment_id), '[]') FROM view.order_shipments
            WHERE order_id = orders.id) AS shipments,
        cancelled, buyer, deliver_to
    FROM view.orders
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR company_id = $2)
        AND ($3::text IS NULL OR status = $3) AND ($4::bigint IS NULL OR created < $4)
    ORDER BY created DESC LIMIT $5";

const HEADS: &str = "
    SELECT id, status, head, placed_on, reason, created,
        (SELECT coalesce(jsonb_agg(DISTINCT shipment_id), '[]') FROM view.order_shipments
            WHERE order_id = orders.id) AS shipments, buyer, deliver_to
    FROM view.orders
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR company_id = $2)
        AND ($3::text IS NULL OR status = $3) AND ($4::bigint IS NULL OR created < $4)
    ORDER BY created DESC LIMIT $5";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let event = match event {
        Event::Sales(sales::Event::Order(event)) => event,
        Event::Parties(parties::Event::Company(event)) => {
            return BUYERS.changed(recorded, event).into_iter().collect();
        }
        _ => return vec![],
    };
    let id = recorded.stream_id;
    let status = |status: &'static str| change!(STATUS, id, status, None::<String>);
    match event {
        order::Event::Placed { terms, on } => vec![change!(
            PLACE,
            id,
            terms.company.0,
            Json(terms.clone()),
            Json(OrderHead::from(terms)),
            *on,
            recorded.position.0.cast_signed(),
            terms.destination.address.as_ref().map(ToString::to_string)
        )],
        order::Event::ApprovalRequested { .. } => vec![status("awaiting_approval")],
        order::Event::StepApproved { .. } | order::Event::StepEscalated { .. } => vec![],
        order::Event::Approved {} => vec![status("placed")],
        order::Event::Refused { decision } => {
            vec![change!(STATUS, id, "refused", decision.note.as_ref().map(ToString::to_string))]
        }
        order::Event::Confirmed {} => vec![status("confirmed")],
        order::Event::Cancelled { reason } => {
            vec![change!(STATUS, id, "cancelled", reason.as_ref().map(ToString::to_string))]
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
    /// The ordered lines and terms.
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
    /// The reason of a cancellation, of the whole order or the rest, or of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The shipped quantities, by line number.
    pub shipped: BTreeMap<String, String>,
    /// The cancelled quantities, by line number, of an order that was shipped in part.
    pub cancelled: BTreeMap<String, String>,
    /// Its shipments.
    pub shipments: Vec<ShipmentId>,
    /// The position at which it was placed; lists are sorted by it, newest first.
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
    /// The terms, without lines.
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
    /// The reason of a cancellation or refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its shipments.
    pub shipments: Vec<ShipmentId>,
    /// The position at which it was placed; lists are sorted by it, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// The status of an order.
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
}

/// Orders, newest first, before `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    filter: &Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Order>, ReadError> {
    let Filter { id, company, status } = filter;
    let status = status.as_ref().map(name_of);
    let rows = client.query(LIST, &[id, company, &status, &cursor, &limit]).await?;
    rows.iter().map(order_of).collect()
}

/// The same without lines.
pub async fn summaries(
    client: &Client,
    filter: &Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<OrderSummary>, ReadError> {
    let Filter { id, company, status } = filter;
    let status = status.as_ref().map(name_of);
    let rows = client.query(HEADS, &[id, company, &status, &cursor, &limit]).await?;
    let summary = |row: &Row| {
        let (placed_on, created) = (row.get("placed_on"), row.get("created"));
        Ok(OrderSummary {
            id: OrderId(row.get("id")),
            number: DocumentNumber::of(Kind::Order, placed_on, created),
            status: word(row, "status")?,
            head: json(row, "head")?,
            placed_on,
            reason: row.get("reason"),
            created,
            shipments: json(row, "shipments")?,
            buyer: json_or_none(row, "buyer")?,
            deliver_to: json_or_none(row, "deliver_to")?,
        })
    };
    rows.iter().map(summary).collect()
}

fn order_of(row: &Row) -> Result<Order, ReadError> {
    let (placed_on, created) = (row.get("placed_on"), row.get("created"));
    Ok(Order {
        id: OrderId(row.get("id")),
        number: DocumentNumber::of(Kind::Order, placed_on, created),
        status: word(row, "status")?,
        terms: json(row, "terms")?,
        placed_on,
        reason: row.get("reason"),
        created,
        shipped: json(row, "shipped")?,
        shipments: json(row, "shipments")?,
        cancelled: json::<Vec<order::Item>>(row, "cancelled")?
            .into_iter()
            .map(|item| (item.line.to_string(), item.quantity.to_string()))
            .collect(),
        buyer: json_or_none(row, "buyer")?,
        deliver_to: json_or_none(row, "deliver_to")?,
    })
}
