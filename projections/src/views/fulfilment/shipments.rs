//! `shipments`: dispatched shipments.

use domain::{
    Event, ShipmentId, company::DeliveryAddress, fulfilment, order, parties, sales, shipment,
};
use event_log::RecordedEvent;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, DocumentNumber, Projection, ReadError, aside, build,
    buyer::{Buyer, Buyers, buyer_of, buyers, buyers_table, place_of},
    document_number::Kind,
    heads::ShipmentHead,
    projection::change,
    row::{json, json_or_none},
};

/// Shipments by id.
pub const PROJECTION: Projection = Projection {
    name: "shipments",
    schema: concat!(
        buyers_table!("shipment_buyers"),
        "
        -- Where the goods of an order go, of orders that say so.
        CREATE TABLE shipment_orders (
            order_id uuid PRIMARY KEY,
            address text NOT NULL,
            -- That address as it was when the order was placed.
            deliver_to jsonb
        );
        CREATE TABLE shipments (
            id uuid PRIMARY KEY,
            company_id uuid NOT NULL,
            order_id uuid NOT NULL,
            -- The company and the delivery address as they were when it left.
            buyer jsonb,
            deliver_to jsonb,
            dispatch jsonb NOT NULL,
            -- What lists show.
            head jsonb NOT NULL,
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON shipments (company_id, created);
        CREATE INDEX ON shipments (order_id)"
    ),
    tables: &["shipments", "shipment_buyers", "shipment_orders"],
    reads: &["shipment", "order", "company"],
    aside: aside::stream,
    apply,
    build: build::SHIPMENTS,
};

const BUYERS: Buyers = buyers!("shipment_buyers", places);
/// An order that was placed twice (in records of older builds) is kept once, as in `orders`.
const ORDER: &str = concat!(
    "
    INSERT INTO shipment_orders (order_id, address, deliver_to) VALUES ($1, $3, ",
    place_of!("shipments", "shipment_buyers", "$2", "$3::text"),
    ") ON CONFLICT (order_id) DO NOTHING"
);
/// If the address was removed since the order, the copy of the order is used.
const DISPATCH: &str = concat!(
    "
    INSERT INTO shipments (id, company_id, order_id, dispatch, head, created, buyer, deliver_to)
    VALUES ($1, $2, $3, $4, $5, $6, ",
    buyer_of!("shipments", "shipment_buyers", "$2"),
    ", (SELECT coalesce(",
    place_of!("shipments", "shipment_buyers", "$2", "placed.address"),
    ", placed.deliver_to) FROM shipment_orders placed WHERE placed.order_id = $3))"
);
const LIST: &str = "
    SELECT id, dispatch, created, buyer, deliver_to FROM view.shipments
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR company_id = $2)
        AND ($3::uuid IS NULL OR order_id = $3) AND ($4::bigint IS NULL OR created < $4)
    ORDER BY created DESC LIMIT $5";

const HEADS: &str = "
    SELECT id, head, created, buyer, deliver_to FROM view.shipments
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR company_id = $2)
        AND ($3::uuid IS NULL OR order_id = $3) AND ($4::bigint IS NULL OR created < $4)
    ORDER BY created DESC LIMIT $5";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let event = match event {
        Event::Fulfilment(fulfilment::Event::Shipment(event)) => event,
        Event::Sales(sales::Event::Order(order::Event::Placed { terms, .. })) => {
            let address = terms.destination.address.as_ref();
            let address = address.map(ToString::to_string);
            let placed =
                address.map(|address| change!(ORDER, recorded.stream_id, terms.company.0, address));
            return placed.into_iter().collect();
        }
        Event::Parties(parties::Event::Company(event)) => {
            return BUYERS.changed(recorded, event).into_iter().collect();
        }
        _ => return vec![],
    };
    let shipment::Event::Dispatched { dispatch } = event;
    vec![change!(
        DISPATCH,
        recorded.stream_id,
        dispatch.company.0,
        dispatch.order.0,
        Json(dispatch.clone()),
        Json(ShipmentHead::from(dispatch)),
        recorded.position.0.cast_signed()
    )]
}

/// A shipment.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Shipment {
    /// Its id.
    pub id: ShipmentId,
    /// Its number.
    pub number: DocumentNumber,
    /// The dispatched goods and their transport.
    #[serde(flatten)]
    pub dispatch: shipment::Dispatch,
    /// The company's data on the day of dispatch; missing in records of older builds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buyer: Option<Buyer>,
    /// The delivery address on the day of dispatch, if the order has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliver_to: Option<DeliveryAddress>,
    /// The position of its dispatch; lists are sorted by it, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// A shipment in a list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ShipmentSummary {
    /// Its id.
    pub id: ShipmentId,
    /// Its number.
    pub number: DocumentNumber,
    /// The dispatched goods and their transport, without lines.
    #[serde(flatten)]
    pub head: ShipmentHead,
    /// The company's data on the day of dispatch; missing in records of older builds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buyer: Option<Buyer>,
    /// The delivery address on the day of dispatch, if the order has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliver_to: Option<DeliveryAddress>,
    /// The position of its dispatch; lists are sorted by it, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// Which shipments to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this shipment.
    pub id: Option<Uuid>,
    /// Only this company.
    pub company: Option<Uuid>,
    /// Only this order.
    pub order: Option<Uuid>,
}

/// Shipments, newest first, before `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    filter: &Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Shipment>, ReadError> {
    let Filter { id, company, order } = filter;
    let rows = client.query(LIST, &[id, company, order, &cursor, &limit]).await?;
    rows.iter().map(shipment_of).collect()
}

/// The same without lines.
pub async fn summaries(
    client: &Client,
    filter: &Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<ShipmentSummary>, ReadError> {
    let Filter { id, company, order } = filter;
    let rows = client.query(HEADS, &[id, company, order, &cursor, &limit]).await?;
    let summary = |row: &Row| {
        let (head, created): (ShipmentHead, _) = (json(row, "head")?, row.get("created"));
        let number = DocumentNumber::of(Kind::Shipment, head.on, created);
        let (buyer, deliver_to) = (json_or_none(row, "buyer")?, json_or_none(row, "deliver_to")?);
        Ok(ShipmentSummary {
            id: ShipmentId(row.get("id")),
            number,
            head,
            buyer,
            deliver_to,
            created,
        })
    };
    rows.iter().map(summary).collect()
}

fn shipment_of(row: &Row) -> Result<Shipment, ReadError> {
    let (dispatch, created): (shipment::Dispatch, _) = (json(row, "dispatch")?, row.get("created"));
    let number = DocumentNumber::of(Kind::Shipment, dispatch.on, created);
    let (buyer, deliver_to) = (json_or_none(row, "buyer")?, json_or_none(row, "deliver_to")?);
    Ok(Shipment { id: ShipmentId(row.get("id")), number, dispatch, buyer, deliver_to, created })
}
