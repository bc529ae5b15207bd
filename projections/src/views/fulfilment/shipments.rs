//! `shipments`: what leaves together, in which parcels, and what became of it.

use domain::{
    Event, OrderId, ShipmentId,
    company::DeliveryAddress,
    fulfilment, order, parties, sales,
    shipment::{self, Dispatch, Failure, Parcel, Preparation, Proof, Return},
};
use event_log::RecordedEvent;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, DocumentNumber, Projection, ReadError, aside, build,
    buyer::{Buyer, Buyers, buyer_of, buyers, buyers_table, place_of},
    document_number::Kind,
    heads::ShipmentHead,
    projection::change,
    row::{json, json_or_none, name_of, word},
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
            status text NOT NULL,
            -- The company and the delivery address as they were when it left, before that when it
            -- was prepared.
            buyer jsonb,
            deliver_to jsonb,
            -- What is to leave, of a shipment that was prepared.
            preparation jsonb,
            -- Missing until it leaves.
            dispatch jsonb,
            -- What lists show of the dispatch.
            head jsonb,
            -- The dispatches of further orders: an array.
            further jsonb NOT NULL DEFAULT '[]',
            parcels jsonb NOT NULL DEFAULT '[]',
            -- The last delivery that failed, and how many did.
            failure jsonb,
            failures integer NOT NULL DEFAULT 0,
            proof jsonb,
            returned jsonb,
            -- The day that its number names.
            began_on date NOT NULL,
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON shipments (company_id, created);
        CREATE TABLE shipment_contents (
            shipment_id uuid NOT NULL,
            order_id uuid NOT NULL,
            PRIMARY KEY (shipment_id, order_id)
        );
        CREATE INDEX ON shipment_contents (order_id)"
    ),
    tables: &["shipments", "shipment_contents", "shipment_buyers", "shipment_orders"],
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
const PREPARE: &str = concat!(
    "
    INSERT INTO shipments
        (id, company_id, status, preparation, began_on, created, buyer, deliver_to)
    VALUES ($1, $2, 'prepared', $3, $4, $5, ",
    buyer_of!("shipments", "shipment_buyers", "$2"),
    ", ",
    place_of!("shipments", "shipment_buyers", "$2", "$6::text"),
    ")"
);
/// An address that was dropped since the order is as it was then.
const DISPATCH: &str = concat!(
    "
    INSERT INTO shipments
        (id, company_id, status, dispatch, head, began_on, created, buyer, deliver_to)
    VALUES ($1, $2, 'dispatched', $4, $5, $6, $7, ",
    buyer_of!("shipments", "shipment_buyers", "$2"),
    ", (SELECT coalesce(",
    place_of!("shipments", "shipment_buyers", "$2", "placed.address"),
    ", placed.deliver_to) FROM shipment_orders placed WHERE placed.order_id = $3))
    ON CONFLICT (id) DO UPDATE SET status = excluded.status, dispatch = excluded.dispatch,
        head = excluded.head, buyer = excluded.buyer, deliver_to = excluded.deliver_to"
);
const FURTHER: &str = "UPDATE shipments SET further = further || $2 WHERE id = $1";
const CONTENTS: &str = "
    INSERT INTO shipment_contents (shipment_id, order_id)
    SELECT $1, order_id FROM unnest($2::uuid[]) AS order_id ON CONFLICT DO NOTHING";
const PACK: &str = "UPDATE shipments SET parcels = $2, status = 'packed' WHERE id = $1";
const CANCEL: &str = "UPDATE shipments SET status = 'cancelled' WHERE id = $1";
const DELIVER: &str = "UPDATE shipments SET status = 'delivered', proof = $2 WHERE id = $1";
const FAIL: &str = "
    UPDATE shipments SET status = 'delivery_failed', failure = $2, failures = failures + 1
    WHERE id = $1";
const RETURN: &str = "UPDATE shipments SET status = 'returned', returned = $2 WHERE id = $1";

/// The columns of all shipments, and those that are wanted.
macro_rules! list {
    ($columns:literal) => {
        concat!(
            "
    SELECT id, ",
            $columns,
            ", status, began_on, created, buyer, deliver_to,
        jsonb_array_length(parcels) AS parcel_count, failure, failures, proof, returned,
        (SELECT jsonb_agg(order_id ORDER BY order_id) FROM view.shipment_contents
            WHERE shipment_id = shipments.id) AS orders
    FROM view.shipments
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR company_id = $2)
        AND ($3::uuid IS NULL OR id IN (
            SELECT shipment_id FROM view.shipment_contents WHERE order_id = $3))
        AND ($4::text IS NULL OR status = $4) AND ($5::bigint IS NULL OR created < $5)
    ORDER BY created DESC LIMIT $6"
        )
    };
}

const LIST: &str = list!("dispatch, further, preparation, parcels");
const HEADS: &str = list!("head");

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
    let (id, position) = (recorded.stream_id, recorded.position.0.cast_signed());
    let contains = |orders: Vec<Uuid>| change!(CONTENTS, id, orders);
    match event {
        shipment::Event::Prepared { preparation } => vec![
            change!(
                PREPARE,
                id,
                preparation.company.0,
                Json(preparation.clone()),
                preparation.on,
                position,
                preparation.address.as_ref().map(ToString::to_string)
            ),
            contains(preparation.orders.iter().map(|part| part.order.0).collect()),
        ],
        shipment::Event::Packed { parcels } => vec![change!(PACK, id, Json(parcels.clone()))],
        shipment::Event::Dispatched { dispatch } => vec![
            change!(
                DISPATCH,
                id,
                dispatch.company.0,
                dispatch.order.0,
                Json(dispatch.clone()),
                Json(ShipmentHead::from(dispatch)),
                dispatch.on,
                position
            ),
            contains(vec![dispatch.order.0]),
        ],
        shipment::Event::FurtherOrderDispatched { dispatch } => {
            vec![change!(FURTHER, id, Json([dispatch.clone()])), contains(vec![dispatch.order.0])]
        }
        shipment::Event::Cancelled {} => vec![change!(CANCEL, id)],
        shipment::Event::Delivered { proof } => vec![change!(DELIVER, id, Json(proof.clone()))],
        shipment::Event::DeliveryFailed { failure } => {
            vec![change!(FAIL, id, Json(failure.clone()))]
        }
        shipment::Event::ReturnedToSender { returned } => {
            vec![change!(RETURN, id, Json(returned.clone()))]
        }
    }
}

/// A shipment.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Shipment {
    /// What lists show too.
    #[serde(flatten)]
    pub state: ShipmentState,
    /// What left of the first order, to whom, how; missing until it leaves.
    #[serde(flatten)]
    pub dispatch: Option<Dispatch>,
    /// What left of further orders.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<Dispatch>,
    /// What was prepared; missing where it left without preparation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preparation: Option<Preparation>,
    /// The parcels, if it was packed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parcels: Vec<Parcel>,
}

/// A shipment in a list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ShipmentSummary {
    /// What is shown of every shipment.
    #[serde(flatten)]
    pub state: ShipmentState,
    /// What left of the first order, to whom, how, without its lines; missing until it leaves.
    #[serde(flatten)]
    pub head: Option<ShipmentHead>,
}

/// How far a shipment has got.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ShipmentState {
    /// Its id.
    pub id: ShipmentId,
    /// Its number.
    pub number: DocumentNumber,
    /// How far it has got.
    pub status: Status,
    /// The orders whose goods are in it.
    pub orders: Vec<OrderId>,
    /// How many parcels it has; 0 where that was not recorded.
    pub parcel_count: i32,
    /// How many deliveries failed.
    pub failed_deliveries: i32,
    /// The last one that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<Failure>,
    /// Who took it, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// When it came back undelivered, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<Return>,
    /// The company as it was when the goods left; missing where history does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buyer: Option<Buyer>,
    /// The delivery address on the day of dispatch, if the order has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliver_to: Option<DeliveryAddress>,
    /// Where in the log it began; lists are in this order, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// How far a shipment has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ShipmentStatus")]
pub enum Status {
    /// It was prepared, and not packed yet.
    Prepared,
    /// It was packed, and has not left yet.
    Packed,
    /// It will not leave.
    Cancelled,
    /// It left.
    Dispatched,
    /// The last delivery failed.
    DeliveryFailed,
    /// It arrived.
    Delivered,
    /// It came back undelivered.
    Returned,
}

/// Which shipments are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this shipment.
    pub id: Option<Uuid>,
    /// Only this company.
    pub company: Option<Uuid>,
    /// Those with goods of this order.
    pub order: Option<Uuid>,
    /// Those with this status.
    pub status: Option<Status>,
}

/// Shipments, newest first, before `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    filter: &Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Shipment>, ReadError> {
    let Filter { id, company, order, status } = filter;
    let status = status.as_ref().map(name_of);
    let rows = client.query(LIST, &[id, company, order, &status, &cursor, &limit]).await?;
    let shipment = |row: &Row| {
        Ok(Shipment {
            state: state_of(row)?,
            dispatch: json_or_none(row, "dispatch")?,
            further: json(row, "further")?,
            preparation: json_or_none(row, "preparation")?,
            parcels: json(row, "parcels")?,
        })
    };
    rows.iter().map(shipment).collect()
}

/// The same without lines.
pub async fn summaries(
    client: &Client,
    filter: &Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<ShipmentSummary>, ReadError> {
    let Filter { id, company, order, status } = filter;
    let status = status.as_ref().map(name_of);
    let rows = client.query(HEADS, &[id, company, order, &status, &cursor, &limit]).await?;
    let summary =
        |row: &Row| Ok(ShipmentSummary { state: state_of(row)?, head: json_or_none(row, "head")? });
    rows.iter().map(summary).collect()
}

fn state_of(row: &Row) -> Result<ShipmentState, ReadError> {
    let (began_on, created): (Date, _) = (row.get("began_on"), row.get("created"));
    Ok(ShipmentState {
        id: ShipmentId(row.get("id")),
        number: DocumentNumber::of(Kind::Shipment, began_on, created),
        status: word(row, "status")?,
        orders: json_or_none(row, "orders")?.unwrap_or_default(),
        parcel_count: row.get("parcel_count"),
        failed_deliveries: row.get("failures"),
        last_failure: json_or_none(row, "failure")?,
        proof: json_or_none(row, "proof")?,
        returned: json_or_none(row, "returned")?,
        buyer: json_or_none(row, "buyer")?,
        deliver_to: json_or_none(row, "deliver_to")?,
        created,
    })
}
