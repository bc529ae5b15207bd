//! `shipments`: what left, when and how.

use domain::{Event, ShipmentId, shipment};
use event_log::RecordedEvent;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, DocumentNumber, Projection, ReadError, aside, build, document_number::Kind,
    heads::ShipmentHead, projection::change, row::json,
};

/// Shipments by id.
pub const PROJECTION: Projection = Projection {
    name: "shipments",
    schema: "
        CREATE TABLE shipments (
            id uuid PRIMARY KEY,
            company_id uuid NOT NULL,
            order_id uuid NOT NULL,
            dispatch jsonb NOT NULL,
            -- What lists show.
            head jsonb NOT NULL,
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON shipments (company_id, created);
        CREATE INDEX ON shipments (order_id)",
    tables: &["shipments"],
    reads: &["shipment"],
    aside: aside::stream,
    apply,
    build: build::SHIPMENTS,
};

const DISPATCH: &str = "
    INSERT INTO shipments (id, company_id, order_id, dispatch, head, created)
    VALUES ($1, $2, $3, $4, $5, $6)";
const LIST: &str = "
    SELECT id, dispatch, created FROM view.shipments
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR company_id = $2)
        AND ($3::uuid IS NULL OR order_id = $3) AND ($4::bigint IS NULL OR created < $4)
    ORDER BY created DESC LIMIT $5";

const HEADS: &str = "
    SELECT id, head, created FROM view.shipments
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR company_id = $2)
        AND ($3::uuid IS NULL OR order_id = $3) AND ($4::bigint IS NULL OR created < $4)
    ORDER BY created DESC LIMIT $5";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Shipment(shipment::Event::Dispatched { dispatch }) = event else { return vec![] };
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
    /// Its readable number.
    pub number: DocumentNumber,
    /// What left, to whom, how.
    #[serde(flatten)]
    pub dispatch: shipment::Dispatch,
    /// Where in the log it was dispatched; lists are in this order, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// A shipment as lists show it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ShipmentSummary {
    /// Its id.
    pub id: ShipmentId,
    /// Its readable number.
    pub number: DocumentNumber,
    /// What left, to whom, how, without its lines.
    #[serde(flatten)]
    pub head: ShipmentHead,
    /// Where in the log it was dispatched; lists are in this order, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// Which shipments are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// This one.
    pub id: Option<Uuid>,
    /// Those to this company.
    pub company: Option<Uuid>,
    /// Those of this order.
    pub order: Option<Uuid>,
}

/// Shipments, newest first, from before `cursor`, at most `limit`.
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

/// The same without their lines.
pub async fn summaries(
    client: &Client,
    filter: &Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<ShipmentSummary>, ReadError> {
    let Filter { id, company, order } = filter;
    let rows = client.query(HEADS, &[id, company, order, &cursor, &limit]).await?;
    let summary = |row: &Row| {
        let (head, created): (ShipmentHead, _) = (json(row, 1)?, row.get(2));
        let number = DocumentNumber::of(Kind::Shipment, head.on, created);
        Ok(ShipmentSummary { id: ShipmentId(row.get(0)), number, head, created })
    };
    rows.iter().map(summary).collect()
}

fn shipment_of(row: &Row) -> Result<Shipment, ReadError> {
    let (dispatch, created): (shipment::Dispatch, _) = (json(row, 1)?, row.get(2));
    let number = DocumentNumber::of(Kind::Shipment, dispatch.on, created);
    Ok(Shipment { id: ShipmentId(row.get(0)), number, dispatch, created })
}
