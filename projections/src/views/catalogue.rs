//! `catalogue`: what is sold, at which base prices.

use std::collections::BTreeMap;

use domain::{Currency, Event, ProductId, UnitPrice, product};
use event_log::RecordedEvent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError,
    projection::change,
    row::{json, name_of, word},
};

/// Products by id, with their base prices by currency.
pub const PROJECTION: Projection = Projection {
    name: "catalogue",
    schema: "
        CREATE TABLE catalogue (
            id uuid PRIMARY KEY,
            sku text NOT NULL UNIQUE,
            name text NOT NULL,
            gtin text,
            unit text NOT NULL,
            vat_rate text NOT NULL,
            status text NOT NULL,
            base_prices jsonb NOT NULL DEFAULT '{}',
            details jsonb NOT NULL DEFAULT '{}',
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON catalogue USING gin ((details -> 'categories'))",
    tables: &["catalogue"],
    reads: &["product"],
    apply,
};

const DRAFT: &str = "
    INSERT INTO catalogue (id, sku, name, gtin, unit, vat_rate, status, created)
    VALUES ($1, $2, $3, $4, $5, $6, 'drafted', $7)";
const PRICE: &str = "
    UPDATE catalogue SET base_prices = base_prices || jsonb_build_object($2::text, $3::text)
    WHERE id = $1";
const RENAME: &str = "
    UPDATE catalogue SET name = $2,
        details = details || jsonb_build_object('translations', $3::jsonb) WHERE id = $1";
const DETAIL: &str = "
    UPDATE catalogue SET details = details || jsonb_build_object($2::text, $3::jsonb)
    WHERE id = $1";
const TAX: &str = "
    UPDATE catalogue SET details = jsonb_set(
        jsonb_build_object('vat_rates', '{}'::jsonb) || details, ARRAY['vat_rates', $2], to_jsonb($3::text))
    WHERE id = $1";
const STATUS: &str = "UPDATE catalogue SET status = $2 WHERE id = $1";
const LIST: &str = "
    SELECT id, sku, name, gtin, unit, vat_rate, status, base_prices, created, details
    FROM view.catalogue
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::text IS NULL OR sku = $2)
        AND (NOT $3 OR status = 'published') AND ($4::bigint IS NULL OR created > $4)
        AND ($6::text IS NULL OR details -> 'categories' ? $6)
        -- What the first of the audiences that says anything says; then what is nearest.
        AND ($7::uuid[] IS NULL OR coalesce((
            WITH RECURSIVE standing AS (
                SELECT category::uuid AS id, 1 AS distance
                FROM jsonb_array_elements_text(details -> 'categories') AS category
                UNION
                SELECT above.parent_id, distance + 1
                FROM standing JOIN view.categories above ON above.id = standing.id
                WHERE above.parent_id IS NOT NULL AND distance < 12
            ), places AS (
                SELECT id::text AS selected, distance FROM standing
                UNION ALL SELECT catalogue.id::text, 0
                UNION ALL SELECT 'everything', 1000
            )
            SELECT verdict = 'allowed'
            FROM unnest($7::uuid[]) WITH ORDINALITY AS audience(id, rank)
            JOIN view.assortments rule ON rule.assortment_id = audience.id
            JOIN places ON places.selected = rule.selected
            ORDER BY rank, distance, verdict DESC LIMIT 1), true))
    ORDER BY created LIMIT $5";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Product(event) = event else { return vec![] };
    changes(recorded, event)
}

fn changes(recorded: &RecordedEvent, event: &product::Event) -> Vec<Change> {
    use product::Event as E;
    let id = recorded.stream_id;
    match event {
        E::Drafted { id, description } => vec![change!(
            DRAFT,
            id.0,
            description.sku.to_string(),
            description.name.to_string(),
            description.gtin.as_ref().map(|gtin| gtin.as_str().to_owned()),
            name_of(&description.unit),
            description.vat_rate.code(),
            recorded.position.0.cast_signed()
        )],
        E::Priced { currency, price } => {
            vec![change!(PRICE, id, currency.code(), price.to_string())]
        }
        E::Renamed(naming) => {
            vec![change!(RENAME, id, naming.name.to_string(), Json(naming.translations.clone()))]
        }
        E::Described { texts } => vec![detail(id, "texts", texts.clone())],
        E::Characterized(character) => vec![detail(id, "character", character.clone())],
        E::Categorized { categories } => vec![detail(id, "categories", categories.clone())],
        E::Packed(packing) => vec![detail(id, "packing", packing.clone())],
        E::VatRateChanged { from, vat_rate } => {
            vec![change!(TAX, id, from.to_string(), vat_rate.code())]
        }
        E::Classified(classification) => {
            vec![detail(id, "classification", classification.clone())]
        }
        E::Pictured { images } => vec![detail(id, "images", images.clone())],
        E::Substituted { substitutes } => vec![detail(id, "substitutes", substitutes.clone())],
        E::Bundled { parts } => vec![detail(id, "parts", parts.clone())],
        E::Published {} => vec![change!(STATUS, id, "published")],
        E::Withdrawn { successor } => {
            vec![change!(STATUS, id, "withdrawn"), detail(id, "successor", *successor)]
        }
    }
}

/// A member of [`Details`].
fn detail(
    id: Uuid,
    member: &'static str,
    value: impl Serialize + std::fmt::Debug + Send + Sync + 'static,
) -> Change {
    change!(DETAIL, id, member, Json(value))
}

/// A product with its base prices.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CatalogueItem {
    /// Its id.
    pub id: ProductId,
    /// What it is.
    #[serde(flatten)]
    pub description: product::Description,
    /// What else is known of it.
    #[serde(flatten)]
    pub details: product::Details,
    /// Whether it is for sale.
    pub status: Status,
    /// Net price of one unit, by currency.
    pub base_prices: BTreeMap<Currency, UnitPrice>,
    /// Where in the log it was drafted; lists are in this order.
    #[serde(skip)]
    pub created: i64,
}

/// Whether a product is for sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not yet.
    Drafted,
    /// Yes.
    Published,
    /// No longer.
    Withdrawn,
}

/// Which products are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter<'a> {
    /// This one.
    pub id: Option<Uuid>,
    /// The one with this code.
    pub sku: Option<&'a str>,
    /// Only what is for sale, as buyers see it.
    pub published_only: bool,
    /// Those that stand in this category itself.
    pub category: Option<Uuid>,
    /// Those that the company with these audiences sees, the most specific first; see
    /// [`domain::assortment::sees`].
    pub audiences: Option<Vec<Uuid>>,
}

/// Products in order of drafting, from after `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    filter: &Filter<'_>,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<CatalogueItem>, ReadError> {
    let Filter { id, sku, published_only, category, audiences } = filter;
    let category = category.map(|category| category.to_string());
    let rows = client
        .query(LIST, &[id, sku, published_only, &cursor, &limit, &category, audiences])
        .await?;
    rows.iter().map(item_of).collect()
}

fn item_of(row: &Row) -> Result<CatalogueItem, ReadError> {
    let gtin: Option<String> = row.get(3);
    Ok(CatalogueItem {
        id: ProductId(row.get(0)),
        description: product::Description {
            sku: word(row, 1)?,
            name: word(row, 2)?,
            gtin: gtin.map(|text| text.parse().map_err(|_| ReadError::Malformed)).transpose()?,
            unit: word(row, 4)?,
            vat_rate: word(row, 5)?,
        },
        status: word(row, 6)?,
        base_prices: json(row, 7)?,
        created: row.get(8),
        details: json(row, 9)?,
    })
}
