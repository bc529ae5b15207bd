//! `stock`: stock level per product, as last reported.

use std::collections::HashMap;

use deadpool_postgres::Object;
use domain::{
    Event, ProductId, Sku, inventory,
    stock::{self, Available, Level},
};
use event_log::{Position, RecordedEvent};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError, Remembered, aside, build,
    projection::change,
    row::{parsed, word_or_none},
};

/// Stock levels by product.
pub const PROJECTION: Projection = Projection {
    name: "stock",
    schema: "
        CREATE TABLE stock (
            product_id uuid PRIMARY KEY,
            available text NOT NULL,
            expected date,
            reported bigint NOT NULL UNIQUE
        )",
    tables: &["stock"],
    reads: &["stock"],
    aside: aside::stream,
    apply,
    build: build::STOCK,
};

const REPORT: &str = "
    INSERT INTO stock (product_id, available, expected, reported) VALUES ($1, $2, $3, $4)
    ON CONFLICT (product_id) DO UPDATE SET available = $2, expected = $3, reported = $4";
const LIST: &str = "
    SELECT available, expected, product_id, product.sku, reported
    FROM view.stock LEFT JOIN view.catalogue product ON product.id = product_id
    WHERE ($1::text IS NULL OR product.sku = $1) AND ($2::bigint IS NULL OR reported > $2)
    ORDER BY reported LIMIT $3";
const LEVELS: &str = "
    SELECT available, expected, product_id FROM view.stock WHERE product_id = ANY($1)";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Inventory(inventory::Event::Stock(event)) = event else { return vec![] };
    let stock::Event::Reported { product, available, expected } = event;
    let position = recorded.position.0.cast_signed();
    vec![change!(REPORT, product.0, available.to_string(), *expected, position)]
}

/// The stock level of a product.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "StockLevel")]
pub struct StockOf {
    /// The product.
    pub product: ProductId,
    /// Its SKU.
    pub sku: Option<Sku>,
    /// Its level.
    #[serde(flatten)]
    pub level: Level,
    /// The position of the report; lists are sorted by it.
    #[serde(skip)]
    pub reported: i64,
}

/// Stock levels in the order of their reports, of one product or of all, after `cursor`, at most
/// `limit`.
pub async fn list(
    client: &Object,
    sku: Option<&str>,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<StockOf>, ReadError> {
    let statement = client.prepare_cached(LIST).await?;
    let rows = client.query(&statement, &[&sku, &cursor, &limit]).await?;
    let stock_of = |row: &Row| {
        Ok(StockOf {
            product: ProductId(row.get("product_id")),
            sku: word_or_none(row, "sku")?,
            level: level(row)?,
            reported: row.get("reported"),
        })
    };
    rows.iter().map(stock_of).collect()
}

/// A cache of stock levels.
#[derive(Debug)]
pub struct Levels(Remembered<ProductId, Option<Level>>);

impl Default for Levels {
    fn default() -> Self {
        Self(Remembered::at_most(Self::MOST))
    }
}

impl Levels {
    /// The maximum number of entries: about 100 bytes each.
    const MOST: usize = 50_000;

    /// The stock levels of `products`, in this order. `changed` is the position of the last change
    /// of the read model.
    pub async fn of(
        &self,
        client: &Object,
        changed: Position,
        products: &[ProductId],
    ) -> Result<Vec<Option<Level>>, ReadError> {
        let wanted: Vec<_> = products.iter().map(|product| (*product, changed)).collect();
        self.0.all(&wanted, |missing| levels(client, missing)).await
    }
}

async fn levels(
    client: &Object,
    of: Vec<ProductId>,
) -> Result<HashMap<ProductId, Option<Level>>, ReadError> {
    let of: Vec<Uuid> = of.into_iter().map(|product| product.0).collect();
    let statement = client.prepare_cached(LEVELS).await?;
    let rows = client.query(&statement, &[&of]).await?;
    rows.iter().map(|row| Ok((ProductId(row.get(2)), Some(level(row)?)))).collect()
}

fn level(row: &Row) -> Result<Level, ReadError> {
    Ok(Level {
        available: parsed::<Available>(row, "available")?,
        expected: row.get::<_, Option<Date>>("expected"),
    })
}
