//! `warehouses`: where the seller keeps goods.

use domain::{Address, Event, Name, WarehouseCode, WarehouseId, inventory, warehouse};
use event_log::RecordedEvent;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError, aside, build,
    projection::change,
    row::{json_or_none, word},
};

/// Warehouses by id.
pub const PROJECTION: Projection = Projection {
    name: "warehouses",
    schema: "
        CREATE TABLE warehouses (
            id uuid PRIMARY KEY,
            code text NOT NULL,
            name text NOT NULL,
            address jsonb,
            closed boolean NOT NULL DEFAULT false,
            created bigint NOT NULL UNIQUE
        )",
    tables: &["warehouses"],
    reads: &["warehouse"],
    aside: aside::stream,
    apply,
    build: build::WAREHOUSES,
};

const OPEN: &str = "
    INSERT INTO warehouses (id, code, name, address, created) VALUES ($1, $2, $3, $4, $5)";
const RENAME: &str = "UPDATE warehouses SET name = $2 WHERE id = $1";
const CLOSE: &str = "UPDATE warehouses SET closed = $2 WHERE id = $1";
const LIST: &str = "
    SELECT id, code, name, address, closed, created FROM view.warehouses
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::text IS NULL OR code = $2)
        AND ($3::bigint IS NULL OR created > $3)
    ORDER BY created LIMIT $4";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Inventory(inventory::Event::Warehouse(event)) = event else { return vec![] };
    let id = recorded.stream_id;
    vec![match event {
        warehouse::Event::Opened { id, code, name, address } => change!(
            OPEN,
            id.0,
            code.to_string(),
            name.to_string(),
            address.clone().map(Json),
            recorded.position.0.cast_signed()
        ),
        warehouse::Event::Renamed { name } => change!(RENAME, id, name.to_string()),
        warehouse::Event::Closed {} => change!(CLOSE, id, true),
        warehouse::Event::Reopened {} => change!(CLOSE, id, false),
    }]
}

/// A warehouse.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Warehouse {
    /// Its id.
    pub id: WarehouseId,
    /// Its unique code.
    pub code: WarehouseCode,
    /// Its name.
    pub name: Name,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Whether it receives no more goods.
    pub closed: bool,
    /// Where in the log it was opened; lists are in this order.
    #[serde(skip)]
    pub created: i64,
}

/// Which warehouses are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// This one.
    pub id: Option<Uuid>,
    /// The one with this code.
    pub code: Option<String>,
}

/// Warehouses in order of opening, from after `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    Filter { id, code }: &Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Warehouse>, ReadError> {
    let rows = client.query(LIST, &[id, code, &cursor, &limit]).await?;
    rows.iter().map(warehouse_of).collect()
}

fn warehouse_of(row: &Row) -> Result<Warehouse, ReadError> {
    Ok(Warehouse {
        id: WarehouseId(row.get("id")),
        code: word(row, "code")?,
        name: word(row, "name")?,
        address: json_or_none(row, "address")?,
        closed: row.get("closed"),
        created: row.get("created"),
    })
}
