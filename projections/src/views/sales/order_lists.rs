//! `order_lists`: what companies order again and again.

use domain::{
    ActorId, CompanyId, Event, Name, Note, OrderListId, ProductId, Quantity, Sku, order_list,
    product::PackagingName, purchase_lines::PurchaseLine, sales,
};
use event_log::RecordedEvent;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use super::carts::{Changer, Viewer, changer, employee};
use crate::{
    Change, Projection, ReadError, aside, build,
    projection::change,
    row::{name_of, parsed, word, word_or_none},
};

/// Lists that are kept, by id, and their lines by number.
pub const PROJECTION: Projection = Projection {
    name: "order_lists",
    schema: "
        CREATE TABLE order_lists (
            id uuid PRIMARY KEY,
            company_id uuid NOT NULL,
            -- An employee, or a key that is nobody's.
            owner_id uuid NOT NULL,
            shared boolean NOT NULL,
            name text NOT NULL,
            -- How many lines it has; they are not counted for each list.
            line_count integer NOT NULL DEFAULT 0,
            -- The employee who gave the last command, nobody for a key that is nobody's; and when.
            changed_by uuid,
            changed_at timestamptz NOT NULL,
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON order_lists (company_id, created);
        CREATE TABLE order_list_lines (
            list_id uuid NOT NULL,
            line integer NOT NULL,
            product_id uuid NOT NULL,
            -- The product's code when the line was written.
            sku text NOT NULL,
            quantity text NOT NULL,
            packaging text,
            note text,
            -- The employee who wrote the line last, and when.
            changed_by uuid,
            changed_at timestamptz NOT NULL,
            PRIMARY KEY (list_id, line)
        )",
    tables: &["order_lists", "order_list_lines"],
    reads: &["order_list"],
    aside: aside::stream,
    apply,
    build: build::ORDER_LISTS,
};

const MAKE: &str = "
    INSERT INTO order_lists (
        id, company_id, owner_id, shared, name, changed_by, changed_at, created)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const RENAME: &str =
    "UPDATE order_lists SET name = $2, changed_by = $3, changed_at = $4 WHERE id = $1";
const SHARE: &str =
    "UPDATE order_lists SET shared = $2, changed_by = $3, changed_at = $4 WHERE id = $1";
const COUNT: &str = "
    UPDATE order_lists SET line_count = line_count + $2, changed_by = $3, changed_at = $4 WHERE id = $1";
const WRITE: &str = "
    INSERT INTO order_list_lines (
        list_id, line, product_id, sku, quantity, packaging, note, changed_by, changed_at)
    SELECT $1, line, product_id, sku, quantity, packaging, note, $8, $9
    FROM unnest($2::integer[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])
        AS wanted (line, product_id, sku, quantity, packaging, note)
    ON CONFLICT (list_id, line) DO UPDATE SET
        product_id = excluded.product_id, sku = excluded.sku, quantity = excluded.quantity,
        packaging = excluded.packaging, note = excluded.note, changed_by = excluded.changed_by,
        changed_at = excluded.changed_at";
const REMOVE: &str = "DELETE FROM order_list_lines WHERE list_id = $1 AND line = ANY($2)";
const CLEAR: &str = "DELETE FROM order_list_lines WHERE list_id = $1";
const DROP: &str = "DELETE FROM order_lists WHERE id = $1";
const LIST: &str = "
    SELECT list.id, list.company_id, owner_id, shared, name, line_count, changed_at, list.created,
        changer.id AS changer_id, changer.company_id AS changer_company_id,
        changer.profile AS changer_profile
    FROM view.order_lists list LEFT JOIN view.employees changer ON changer.id = list.changed_by
    WHERE ($1::uuid IS NULL OR list.id = $1) AND ($2::uuid IS NULL OR list.company_id = $2)
        AND (shared OR owner_id = $3) AND ($4::bigint IS NULL OR list.created < $4)
    ORDER BY list.created DESC LIMIT $5";
const LINES: &str = "
    SELECT line, product_id, wanted.sku, quantity, packaging, note, changed_at, product.name,
        changer.id AS changer_id, changer.company_id AS changer_company_id,
        changer.profile AS changer_profile
    FROM view.order_list_lines wanted
    LEFT JOIN view.catalogue product ON product.id = product_id
    LEFT JOIN view.employees changer ON changer.id = wanted.changed_by
    WHERE list_id = $1 AND ($2::integer IS NULL OR line > $2) ORDER BY line LIMIT $3";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    use order_list::Event as E;
    let Event::Sales(sales::Event::OrderList(event)) = event else { return vec![] };
    let (id, at, by) = (recorded.stream_id, recorded.recorded_at, employee(recorded));
    let share = |shared: bool| vec![change!(SHARE, id, shared, by, at)];
    match event {
        E::Made { head } => vec![change!(
            MAKE,
            id,
            head.company.0,
            head.owner.0,
            head.shared,
            head.name.to_string(),
            by,
            at,
            recorded.position.0.cast_signed()
        )],
        E::Renamed { name } => vec![change!(RENAME, id, name.to_string(), by, at)],
        E::Shared {} => share(true),
        E::Unshared {} => share(false),
        E::LinesAdded { lines } => {
            let count = i32::try_from(lines.len()).unwrap_or(i32::MAX);
            vec![written(recorded, lines), change!(COUNT, id, count, by, at)]
        }
        E::LinesChanged { lines } => {
            vec![written(recorded, lines), change!(COUNT, id, 0, by, at)]
        }
        E::LinesRemoved { lines } => {
            let count = -i32::try_from(lines.len()).unwrap_or(i32::MAX);
            let lines: Vec<i32> = lines.iter().map(|line| line.cast_signed()).collect();
            vec![change!(REMOVE, id, lines), change!(COUNT, id, count, by, at)]
        }
        E::Discarded {} => vec![change!(CLEAR, id), change!(DROP, id)],
    }
}

fn written(recorded: &RecordedEvent, lines: &[PurchaseLine]) -> Change {
    fn all<T>(lines: &[PurchaseLine], of: impl Fn(&PurchaseLine) -> T) -> Vec<T> {
        lines.iter().map(of).collect()
    }
    change!(
        WRITE,
        recorded.stream_id,
        all(lines, |line| line.line.cast_signed()),
        all(lines, |line| line.product.0),
        all(lines, |line| line.sku.to_string()),
        all(lines, |line| line.quantity.to_string()),
        all(lines, |line| line.packaging.as_ref().map(name_of)),
        all(lines, |line| line.note.as_ref().map(ToString::to_string)),
        employee(recorded),
        recorded.recorded_at
    )
}

/// An order list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OrderList {
    /// Its id.
    pub id: OrderListId,
    /// For which company it is.
    pub company: CompanyId,
    /// Whose it is: an employee, or a key that is nobody's.
    pub owner: ActorId,
    /// Whether others of the company, and the seller, see and change it.
    pub shared: bool,
    /// What it is called.
    pub name: Name,
    /// How many lines it has.
    pub line_count: i32,
    /// Who changed it last.
    pub changed_by: Changer,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// Where in the log it was made; lists are in this order, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// A line of an order list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OrderListLine {
    /// Its number.
    pub line: u32,
    /// Of which product.
    pub product: ProductId,
    /// The product's code when the line was written.
    pub sku: Sku,
    /// What the product is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// How much of it, in its units.
    pub quantity: Quantity,
    /// In what it was counted, where that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packaging: Option<PackagingName>,
    /// What else is to be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// Who wrote it last.
    pub changed_by: Changer,
    /// When it was written last.
    pub changed_at: Timestamp,
}

/// Which lists are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    /// This one.
    pub id: Option<Uuid>,
    /// Those of this company.
    pub company: Option<Uuid>,
    /// Who asks: of private lists only their own are shown.
    pub actor: ActorId,
}

/// Order lists, newest first, from before `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    Filter { id, company, actor }: Filter,
    viewer: Viewer,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<OrderList>, ReadError> {
    let rows = client.query(LIST, &[&id, &company, &actor.0, &cursor, &limit]).await?;
    let list = |row: &Row| {
        Ok(OrderList {
            id: OrderListId(row.get("id")),
            company: CompanyId(row.get("company_id")),
            owner: ActorId(row.get("owner_id")),
            shared: row.get("shared"),
            name: word(row, "name")?,
            line_count: row.get("line_count"),
            changed_by: changer(row, viewer)?,
            changed_at: row.get("changed_at"),
            created: row.get("created"),
        })
    };
    rows.iter().map(list).collect()
}

/// The lines of a list in the order of their numbers, from after `cursor`, at most `limit`.
pub async fn lines(
    client: &Client,
    list: Uuid,
    viewer: Viewer,
    cursor: Option<i32>,
    limit: i64,
) -> Result<Vec<OrderListLine>, ReadError> {
    let rows = client.query(LINES, &[&list, &cursor, &limit]).await?;
    let line = |row: &Row| {
        Ok(OrderListLine {
            line: row.get::<_, i32>("line").cast_unsigned(),
            product: ProductId(row.get("product_id")),
            sku: word(row, "sku")?,
            name: word_or_none(row, "name")?,
            quantity: parsed(row, "quantity")?,
            packaging: word_or_none(row, "packaging")?,
            note: word_or_none(row, "note")?,
            changed_by: changer(row, viewer)?,
            changed_at: row.get("changed_at"),
        })
    };
    rows.iter().map(line).collect()
}
