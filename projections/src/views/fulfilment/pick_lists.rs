//! `pick_lists`: what is picked together, what was found of it, and what of each order is on open
//! lists or was picked.

use std::collections::BTreeMap;

use domain::{
    Event, OrderId, PickListId, fulfilment,
    order::Item,
    pick_list::{self, Header, Line, Pick},
    picking,
};
use event_log::RecordedEvent;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError, aside, build,
    projection::change,
    row::{json, name_of, word},
};

/// Pick lists by id, and quantities by order and line.
pub const PROJECTION: Projection = Projection {
    name: "pick_lists",
    schema: "
        CREATE TABLE pick_lists (
            id uuid PRIMARY KEY,
            status text NOT NULL,
            header jsonb NOT NULL,
            lines jsonb NOT NULL,
            order_count integer NOT NULL,
            -- What was reported, by line number.
            picks jsonb NOT NULL DEFAULT '{}',
            reason text,
            created bigint NOT NULL UNIQUE
        );
        CREATE TABLE pick_list_items (
            order_id uuid NOT NULL,
            pick_list_id uuid NOT NULL,
            line integer NOT NULL,
            quantity numeric NOT NULL,
            PRIMARY KEY (order_id, pick_list_id, line)
        );
        CREATE TABLE picked_items (
            order_id uuid NOT NULL,
            line integer NOT NULL,
            quantity numeric NOT NULL,
            PRIMARY KEY (order_id, line)
        )",
    tables: &["pick_lists", "pick_list_items", "picked_items"],
    reads: &["pick_list", "picking"],
    aside: aside::stream,
    apply,
    build: build::PICK_LISTS,
};

const CREATE: &str = "
    INSERT INTO pick_lists (id, status, header, lines, order_count, created)
    VALUES ($1, 'open', $2, $3, $4, $5)";
const PICK: &str = "UPDATE pick_lists SET picks = picks || $2 WHERE id = $1";
const END: &str = "UPDATE pick_lists SET status = $2, reason = $3 WHERE id = $1";
const ASSIGN: &str = "
    INSERT INTO pick_list_items (order_id, pick_list_id, line, quantity)
    SELECT $1, $2, line, quantity
    FROM unnest($3::integer[], $4::numeric[]) AS item(line, quantity) ON CONFLICT DO NOTHING";
const RELEASE: &str = "DELETE FROM pick_list_items WHERE order_id = $1 AND pick_list_id = $2";
const PICKED: &str = "
    INSERT INTO picked_items (order_id, line, quantity)
    SELECT $1, line, quantity
    FROM unnest($2::integer[], $3::numeric[]) AS item(line, quantity)
    ON CONFLICT (order_id, line) DO UPDATE SET quantity = picked_items.quantity + excluded.quantity";
const LIST: &str = "
    SELECT id, status, header, lines, order_count, picks, reason, created FROM view.pick_lists
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::text IS NULL OR status = $2)
        AND ($3::bigint IS NULL OR created < $3)
    ORDER BY created DESC LIMIT $4";
const HEADS: &str = "
    SELECT id, status, header, jsonb_array_length(lines) AS line_count, order_count,
        (SELECT count(*) FROM jsonb_object_keys(picks)) AS reported, reason, created
    FROM view.pick_lists
    WHERE ($1::text IS NULL OR status = $1) AND ($2::bigint IS NULL OR created < $2)
    ORDER BY created DESC LIMIT $3";
const ASSIGNED: &str = "
    SELECT order_id, line, sum(quantity) AS quantity FROM view.pick_list_items
    WHERE order_id = ANY($1) GROUP BY order_id, line";
const ALL_PICKED: &str =
    "SELECT order_id, line, quantity FROM view.picked_items WHERE order_id = ANY($1)";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    match event {
        Event::Fulfilment(fulfilment::Event::PickList(event)) => vec![of_list(recorded, event)],
        Event::Fulfilment(fulfilment::Event::Picking(event)) => of_picking(event),
        _ => vec![],
    }
}

fn of_list(recorded: &RecordedEvent, event: &pick_list::Event) -> Change {
    use pick_list::Event as E;
    let id = recorded.stream_id;
    match event {
        E::Created { header, lines } => {
            let mut orders: Vec<OrderId> = lines.iter().map(|line| line.order).collect();
            orders.sort_unstable();
            orders.dedup();
            change!(
                CREATE,
                id,
                Json(header.clone()),
                Json(lines.clone()),
                i32::try_from(orders.len()).unwrap_or(i32::MAX),
                recorded.position.0.cast_signed()
            )
        }
        E::Picked { picks } => {
            let by_line: BTreeMap<String, Pick> =
                picks.iter().map(|pick| (pick.line.to_string(), pick.clone())).collect();
            change!(PICK, id, Json(by_line))
        }
        E::Completed {} => change!(END, id, "completed", None::<String>),
        E::Cancelled { reason } => {
            change!(END, id, "cancelled", reason.as_ref().map(ToString::to_string))
        }
    }
}

fn of_picking(event: &picking::Event) -> Vec<Change> {
    use picking::Event as E;
    let lines = |items: &[Item]| -> (Vec<i32>, Vec<Decimal>) {
        items.iter().map(|item| (item.line.cast_signed(), item.quantity.units())).unzip()
    };
    match event {
        E::Assigned { order, pick_list, items } => {
            let (lines, quantities) = lines(items);
            vec![change!(ASSIGN, order.0, pick_list.0, lines, quantities)]
        }
        E::Picked { order, pick_list, items } => {
            let (lines, quantities) = lines(items);
            vec![
                change!(RELEASE, order.0, pick_list.0),
                change!(PICKED, order.0, lines, quantities),
            ]
        }
        E::Released { order, pick_list } => vec![change!(RELEASE, order.0, pick_list.0)],
    }
}

/// A pick list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "PickList")]
pub struct PickList {
    /// Its id.
    pub id: PickListId,
    /// How far it has got.
    pub status: Status,
    /// Where and when it is picked.
    #[serde(flatten)]
    pub header: Header,
    /// Its lines, sorted by SKU.
    pub lines: Vec<ListedLine>,
    /// How many orders it is for.
    pub order_count: i32,
    /// Why it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where in the log it was created; lists are in this order, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// A line of a pick list, and what was found of it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "ListedPickLine")]
pub struct ListedLine {
    /// Its number, counted from 1.
    pub number: u32,
    /// What is to be picked.
    #[serde(flatten)]
    pub line: Line,
    /// What was picked; missing until it is reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picked: Option<Pick>,
}

/// A pick list without its lines.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PickListSummary {
    /// Its id.
    pub id: PickListId,
    /// How far it has got.
    pub status: Status,
    /// Where and when it is picked.
    #[serde(flatten)]
    pub header: Header,
    /// How many lines it has.
    pub line_count: i32,
    /// How many of them were reported.
    pub reported: i64,
    /// How many orders it is for.
    pub order_count: i32,
    /// Why it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where in the log it was created; lists are in this order, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// How far a pick list has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "PickListStatus")]
pub enum Status {
    /// It is being picked.
    Open,
    /// All lines were reported.
    Completed,
    /// It ended before.
    Cancelled,
}

/// Pick lists with this id or status, newest first, from before `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    (id, status): (Option<Uuid>, Option<Status>),
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<PickList>, ReadError> {
    let status = status.as_ref().map(name_of);
    let rows = client.query(LIST, &[&id, &status, &cursor, &limit]).await?;
    let list = |row: &Row| {
        let (lines, mut picks): (Vec<Line>, BTreeMap<String, Pick>) =
            (json(row, "lines")?, json(row, "picks")?);
        let listed = |(number, line): (u32, Line)| ListedLine {
            number,
            line,
            picked: picks.remove(&number.to_string()),
        };
        Ok(PickList {
            id: PickListId(row.get("id")),
            status: word(row, "status")?,
            header: json(row, "header")?,
            lines: (1..).zip(lines).map(listed).collect(),
            order_count: row.get("order_count"),
            reason: row.get("reason"),
            created: row.get("created"),
        })
    };
    rows.iter().map(list).collect()
}

/// The same without their lines.
pub async fn summaries(
    client: &Client,
    status: Option<Status>,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<PickListSummary>, ReadError> {
    let status = status.as_ref().map(name_of);
    let rows = client.query(HEADS, &[&status, &cursor, &limit]).await?;
    let summary = |row: &Row| {
        Ok(PickListSummary {
            id: PickListId(row.get("id")),
            status: word(row, "status")?,
            header: json(row, "header")?,
            line_count: row.get("line_count"),
            reported: row.get("reported"),
            order_count: row.get("order_count"),
            reason: row.get("reason"),
            created: row.get("created"),
        })
    };
    rows.iter().map(summary).collect()
}

/// Quantities by order and line number.
pub type ByLine = BTreeMap<(OrderId, u32), Decimal>;

/// What of these orders is on open lists, and what completed lists have picked.
pub async fn picking(client: &Client, orders: &[Uuid]) -> Result<[ByLine; 2], ReadError> {
    let by_line = |rows: Vec<Row>| -> ByLine {
        let line = |row: &Row| {
            let key = (OrderId(row.get("order_id")), row.get::<_, i32>("line").cast_unsigned());
            (key, row.get("quantity"))
        };
        rows.iter().map(line).collect()
    };
    let assigned = client.query(ASSIGNED, &[&orders]).await?;
    let picked = client.query(ALL_PICKED, &[&orders]).await?;
    Ok([by_line(assigned), by_line(picked)])
}
