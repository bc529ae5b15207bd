//! `carts`: what companies are about to order, with the lines and who changed them last.

mod queries;

use domain::{Event, cart, purchase_lines::PurchaseLine, sales};
use event_log::RecordedEvent;
use uuid::Uuid;

pub(super) use self::queries::changer;
pub use self::queries::{
    Cart, CartLine, CartStatus, Changer, Filter, Viewer, count_open, head, lines, list,
};
use crate::{Change, Projection, aside, build, projection::change, row::name_of};

/// Carts by id, and their lines by number. A line is a row, so that a change of one line in a long
/// cart changes one row.
pub const PROJECTION: Projection = Projection {
    name: "carts",
    schema: "
        CREATE TABLE carts (
            id uuid PRIMARY KEY,
            company_id uuid NOT NULL,
            -- An employee, or a key that is nobody's.
            owner_id uuid NOT NULL,
            shared boolean NOT NULL,
            name text NOT NULL,
            currency text NOT NULL,
            status text NOT NULL CHECK (octet_length(status) <= 16),
            -- How many lines it has; they are not counted for each list.
            line_count integer NOT NULL DEFAULT 0,
            -- The order, quotation request or cart that its lines became.
            became uuid,
            opened_at timestamptz NOT NULL,
            -- The employee who gave the last command, nobody for a key that is nobody's; and when.
            changed_by uuid,
            changed_at timestamptz NOT NULL,
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON carts (company_id, created);
        CREATE INDEX ON carts (status, created);
        CREATE TABLE cart_lines (
            cart_id uuid NOT NULL,
            line integer NOT NULL,
            product_id uuid NOT NULL,
            -- The product's code when the line was written.
            sku text NOT NULL,
            quantity text NOT NULL,
            packaging text,
            note text,
            -- What one unit cost when the line was written.
            unit_price text,
            -- The employee who wrote the line last, and when.
            changed_by uuid,
            changed_at timestamptz NOT NULL,
            PRIMARY KEY (cart_id, line)
        )",
    tables: &["carts", "cart_lines"],
    reads: &["cart"],
    aside: aside::stream,
    apply,
    build: build::CARTS,
};

const OPEN: &str = "
    INSERT INTO carts (
        id, company_id, owner_id, shared, name, currency, status, opened_at, changed_by, changed_at,
        created)
    VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $8, $7, $9)";
const RENAME: &str = "UPDATE carts SET name = $2, changed_by = $3, changed_at = $4 WHERE id = $1";
const SHARE: &str = "UPDATE carts SET shared = $2, changed_by = $3, changed_at = $4 WHERE id = $1";
const CLOSE: &str = "
    UPDATE carts SET status = $2, became = $3, changed_by = $4, changed_at = $5 WHERE id = $1";
const COUNT: &str = "
    UPDATE carts SET line_count = line_count + $2, changed_by = $3, changed_at = $4 WHERE id = $1";
const WRITE: &str = "
    INSERT INTO cart_lines (
        cart_id, line, product_id, sku, quantity, packaging, note, unit_price, changed_by,
        changed_at)
    SELECT $1, line, product_id, sku, quantity, packaging, note, unit_price, $9, $10
    FROM unnest($2::integer[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::text[])
        AS wanted (line, product_id, sku, quantity, packaging, note, unit_price)
    ON CONFLICT (cart_id, line) DO UPDATE SET
        product_id = excluded.product_id, sku = excluded.sku, quantity = excluded.quantity,
        packaging = excluded.packaging, note = excluded.note, unit_price = excluded.unit_price,
        changed_by = excluded.changed_by, changed_at = excluded.changed_at";
const REMOVE: &str = "DELETE FROM cart_lines WHERE cart_id = $1 AND line = ANY($2)";
const CLEAR: &str = "DELETE FROM cart_lines WHERE cart_id = $1";
const EMPTY: &str =
    "UPDATE carts SET line_count = 0, changed_by = $2, changed_at = $3 WHERE id = $1";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    use cart::Event as E;
    let Event::Sales(sales::Event::Cart(event)) = event else { return vec![] };
    let (id, at, by) = (recorded.stream_id, recorded.recorded_at, employee(recorded));
    let share = |shared: bool| vec![change!(SHARE, id, shared, by, at)];
    let close = |status: &'static str, became: Option<Uuid>| {
        vec![change!(CLOSE, id, status, became, by, at)]
    };
    let removed = |lines: &[u32]| {
        let count = -i32::try_from(lines.len()).unwrap_or(i32::MAX);
        let lines: Vec<i32> = lines.iter().map(|line| line.cast_signed()).collect();
        vec![change!(REMOVE, id, lines), change!(COUNT, id, count, by, at)]
    };
    match event {
        E::Opened { head } => vec![change!(
            OPEN,
            id,
            head.company.0,
            head.owner.0,
            head.shared,
            head.name.to_string(),
            head.currency.code(),
            at,
            by,
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
        E::LinesRemoved { lines } | E::PartOrdered { lines, .. } => removed(lines),
        E::Cleared {} => vec![change!(CLEAR, id), change!(EMPTY, id, by, at)],
        E::Merged { into } => close("merged", Some(into.0)),
        E::Ordered { order } => close("ordered", Some(order.0)),
        E::QuotationRequested { request } => close("requested", Some(request.0)),
        E::Discarded {} => close("discarded", None),
    }
}

/// The employee who gave the command; `None` for a key that is nobody's.
pub(super) fn employee(recorded: &RecordedEvent) -> Option<Uuid> {
    recorded.actor.strip_prefix("employee:")?.parse().ok()
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
        all(lines, |line| line.unit_price.map(|price| price.to_string())),
        employee(recorded),
        recorded.recorded_at
    )
}
