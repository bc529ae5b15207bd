//! `categories`: the product tree.

use domain::{CategoryId, Event, catalogue, category};
use event_log::RecordedEvent;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{Change, Projection, ReadError, aside, build, projection::change, row::json};

/// Categories by id, with their parents.
pub const PROJECTION: Projection = Projection {
    name: "categories",
    schema: "
        CREATE TABLE categories (
            id uuid PRIMARY KEY,
            title jsonb NOT NULL,
            parent_id uuid,
            closed boolean NOT NULL DEFAULT false,
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON categories (parent_id)",
    tables: &["categories"],
    reads: &["category"],
    aside: aside::nothing,
    apply,
    build: build::CATEGORIES,
};

const OPEN: &str = "INSERT INTO categories (id, title, parent_id, created) VALUES ($1, $2, $3, $4)";
const RENAME: &str = "UPDATE categories SET title = $2 WHERE id = $1";
const MOVE: &str = "UPDATE categories SET parent_id = $2 WHERE id = $1";
const CLOSE: &str = "UPDATE categories SET closed = true WHERE id = $1";
const LIST: &str = "
    SELECT id, title, parent_id, closed, created FROM view.categories
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR parent_id = $2)
        AND (NOT $3 OR parent_id IS NULL) AND ($4::bigint IS NULL OR created > $4)
    ORDER BY created LIMIT $5";
const BELOW: &str = "SELECT id, parent_id FROM view.categories WHERE parent_id = ANY($1)";

/// The children of some categories, each with its parent.
pub async fn right_below(
    client: &Client,
    categories: &[Uuid],
) -> Result<Vec<(Uuid, Uuid)>, ReadError> {
    let rows = client.query(BELOW, &[&categories]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Catalogue(catalogue::Event::Category(event)) = event else { return vec![] };
    let id = recorded.stream_id;
    vec![match event {
        category::Event::Opened { id, title, parent } => change!(
            OPEN,
            id.0,
            Json(title.clone()),
            parent.map(|parent| parent.0),
            recorded.position.0.cast_signed()
        ),
        category::Event::Renamed { title } => change!(RENAME, id, Json(title.clone())),
        category::Event::Moved { parent } => change!(MOVE, id, parent.map(|parent| parent.0)),
        category::Event::Closed {} => change!(CLOSE, id),
    }]
}

/// A category.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Category {
    /// Its id.
    pub id: CategoryId,
    /// Its name.
    pub title: category::Title,
    /// Its parent.
    pub parent: Option<CategoryId>,
    /// Whether it is closed to further products.
    pub closed: bool,
    /// The position of its opening; lists are sorted by it.
    #[serde(skip)]
    pub created: i64,
}

/// Which categories to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only this category.
    pub id: Option<Uuid>,
    /// Only the children of this category.
    pub parent: Option<Uuid>,
    /// Only root categories.
    pub roots: bool,
}

/// Categories in order of opening, after `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    Filter { id, parent, roots }: Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Category>, ReadError> {
    let rows = client.query(LIST, &[&id, &parent, &roots, &cursor, &limit]).await?;
    rows.iter().map(category_of).collect()
}

fn category_of(row: &Row) -> Result<Category, ReadError> {
    Ok(Category {
        id: CategoryId(row.get("id")),
        title: json(row, "title")?,
        parent: row.get::<_, Option<Uuid>>("parent_id").map(CategoryId),
        closed: row.get("closed"),
        created: row.get("created"),
    })
}
