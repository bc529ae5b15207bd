//! `catalogue`: products with their base prices, and the access paths for lists and searches.

mod availability;
pub mod count;
mod find;
mod memory;
pub mod near;
mod places;
mod search;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    Currency, Event, ProductId, UnitPrice, catalogue, category, inventory,
    product::{self, details::Attribute},
};
use event_log::RecordedEvent;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

pub use self::{
    count::{Branch, Group, branches, brands, counts, exceptions},
    find::{Line, Order, Place, Places, page},
    memory::Memory,
    places::{EVERYTHING, IN_STOCK, brand},
    search::{MOST_MATCHES, Mark, Sought, Within, corrections, search},
};
use crate::{
    Change, Projection, ReadError, build,
    projection::change,
    row::{json, name_of, word},
    words,
};

/// Products by id, with their base prices by currency.
///
/// A product is listed under every access path: all products, its categories and those above them,
/// its brand, products in stock, products allowed individually by an assortment. Each path is
/// indexed in list order, so a page reads only its own rows.
pub const PROJECTION: Projection = Projection {
    name: "catalogue",
    schema: "
        CREATE TABLE catalogue (
            id uuid PRIMARY KEY,
            sku text NOT NULL UNIQUE CHECK (octet_length(sku) <= 256),
            name text NOT NULL,
            gtin text,
            unit text NOT NULL,
            vat_rate text NOT NULL,
            status text NOT NULL,
            base_prices jsonb NOT NULL DEFAULT '{}',
            floors jsonb NOT NULL DEFAULT '{}',
            details jsonb NOT NULL DEFAULT '{}',
            -- Long, and not shown in lists: apart from the other details.
            texts jsonb NOT NULL DEFAULT '{}',
            -- Its categories, each with those above it, nearest first.
            paths jsonb NOT NULL DEFAULT '[]',
            categories uuid[] NOT NULL DEFAULT '{}',
            brand_id uuid,
            in_stock boolean NOT NULL DEFAULT false,
            -- What sorts it by its name; see words::sort_key.
            sort_name text NOT NULL CHECK (octet_length(sort_name) <= 2048),
            -- As words are searched: lower case, without diacritics. Together they stay below what a
            -- tsvector holds, 1 MiB, whatever the words are: see Bounds.
            code_words text NOT NULL CHECK (octet_length(code_words) <= 4096),
            name_words text NOT NULL CHECK (octet_length(name_words) <= 65536),
            character_words text NOT NULL DEFAULT '' CHECK (octet_length(character_words) <= 65536),
            text_words text NOT NULL DEFAULT '' CHECK (octet_length(text_words) <= 262144),
            words tsvector NOT NULL GENERATED ALWAYS AS (
                setweight(to_tsvector('pg_catalog.simple', code_words), 'A')
                || setweight(to_tsvector('pg_catalog.simple', name_words), 'B')
                || setweight(to_tsvector('pg_catalog.simple', character_words), 'C')
                || setweight(to_tsvector('pg_catalog.simple', text_words), 'D')) STORED,
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON catalogue USING gin (categories);
        CREATE INDEX ON catalogue USING gin (words) WITH (fastupdate = off)
            WHERE status = 'published';
        -- Of every eighth, for words that very many products have.
        CREATE INDEX ON catalogue USING gin (words) WITH (fastupdate = off)
            WHERE status = 'published' AND created % 8 = 0;
        -- Every category with those above it, itself first.
        CREATE TABLE catalogue_categories (
            id uuid PRIMARY KEY,
            path uuid[] NOT NULL
        );
        CREATE TABLE catalogue_places (
            place_id uuid NOT NULL,
            product_id uuid NOT NULL,
            name text COLLATE \"C\" NOT NULL CHECK (octet_length(name) <= 1024),
            sku text COLLATE \"C\" NOT NULL CHECK (octet_length(sku) <= 256),
            created bigint NOT NULL,
            published boolean NOT NULL,
            PRIMARY KEY (product_id, place_id)
        );
        CREATE INDEX ON catalogue_places (place_id, name, created) INCLUDE (product_id)
            WHERE published;
        CREATE INDEX ON catalogue_places (place_id, sku, created) INCLUDE (product_id)
            WHERE published;
        CREATE INDEX ON catalogue_places (place_id, created) INCLUDE (product_id)
            WHERE published;
        CREATE TABLE catalogue_brands (
            id uuid PRIMARY KEY,
            name text NOT NULL
        );
        -- How many products for sale stand in the same categories, are of the same brand, and are
        -- there or not.
        CREATE TABLE catalogue_counts (
            categories uuid[] NOT NULL CHECK (cardinality(categories) <= 16),
            brand_id uuid,
            in_stock boolean NOT NULL,
            products bigint NOT NULL,
            UNIQUE NULLS NOT DISTINCT (categories, brand_id, in_stock)
        );
        -- Every word that was ever said of a product, to find what a mistyped one means and in which
        -- words one goes on that was begun; of codes, what words::letters_of_codes says.
        CREATE TABLE catalogue_words (
            word text COLLATE \"C\" PRIMARY KEY CHECK (octet_length(word) <= 256)
        );
        CREATE INDEX ON catalogue_words USING gin (word view.gin_trgm_ops)",
    tables: &[
        "catalogue",
        "catalogue_categories",
        "catalogue_places",
        "catalogue_brands",
        "catalogue_counts",
        "catalogue_words",
    ],
    reads: &["assortment", "category", "product", "stock"],
    aside,
    apply,
    build: build::CATALOGUE,
};

const DRAFT: &str = "
    INSERT INTO catalogue (id, sku, name, gtin, unit, vat_rate, status, created, code_words,
        sort_name, name_words)
    VALUES ($1, $2, $3, $4, $5, $6, 'drafted', $7, $8, $9, $10)";
const PRICE: &str = "
    UPDATE catalogue SET base_prices = base_prices || jsonb_build_object($2::text, $3::text)
    WHERE id = $1";
const FLOOR: &str = "
    UPDATE catalogue SET floors = jsonb_strip_nulls(floors || jsonb_build_object($2::text, $3::text))
    WHERE id = $1";
const RENAME: &str = "
    UPDATE catalogue SET name = $2, sort_name = $4, name_words = $5,
        details = details || jsonb_build_object('translations', $3::jsonb) WHERE id = $1";
const DESCRIBE: &str = "UPDATE catalogue SET texts = $2, text_words = $3 WHERE id = $1";
const CHARACTERIZE: &str = "UPDATE catalogue SET character_words = $2, brand_id = $3 WHERE id = $1";
const CATEGORIZE: &str = "UPDATE catalogue SET categories = $2 WHERE id = $1";
const DETAIL: &str = "
    UPDATE catalogue SET details = details || jsonb_build_object($2::text, $3::jsonb)
    WHERE id = $1";
const TAX: &str = "
    UPDATE catalogue SET details = jsonb_set(
        jsonb_build_object('vat_rates', '{}'::jsonb) || details, ARRAY['vat_rates', $2], to_jsonb($3::text))
    WHERE id = $1";
const STATUS: &str = "UPDATE catalogue SET status = $2 WHERE id = $1";
/// Whether assortments show a product: the first assortment with a matching rule decides, by its
/// most specific rule.
macro_rules! shown_by {
    ($assortments:literal) => {
        concat!(
            " AND (",
            $assortments,
            "::uuid[] IS NULL OR coalesce((
            WITH RECURSIVE standing AS (
                SELECT category AS id, ARRAY[category] AS seen FROM unnest(categories) AS category
                UNION ALL
                SELECT above.parent_id, seen || above.parent_id
                FROM standing JOIN view.categories above ON above.id = standing.id
                WHERE above.parent_id <> ALL(seen)
            ), places AS (
                SELECT id::text AS selected, cardinality(seen) AS distance FROM standing
                UNION ALL SELECT catalogue.id::text, 0
                UNION ALL SELECT 'everything', 2147483647
            )
            SELECT verdict = 'allowed'
            FROM unnest(",
            $assortments,
            "::uuid[]) WITH ORDINALITY AS audience(id, rank)
            JOIN view.assortments rule ON rule.assortment_id = audience.id
            JOIN places ON places.selected = rule.selected
            ORDER BY rank, distance, verdict DESC LIMIT 1), true))"
        )
    };
}

/// Texts may be long, so they are read only for a single product.
const LIST: &str = concat!(
    "SELECT id, sku, name, gtin, unit, vat_rate, status, base_prices, created,
        CASE WHEN $1::uuid IS NULL THEN details
            ELSE details || jsonb_build_object('texts', texts) END, floors
    FROM view.catalogue
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::text IS NULL OR sku = $2)
        AND (NOT $3 OR status = 'published') AND ($4::bigint IS NULL OR created > $4)
        AND ($6::uuid IS NULL OR categories @> ARRAY[$6])
",
    shown_by!("$7"),
    " ORDER BY created LIMIT $5"
);
/// The published products among some that assortments show.
const VISIBLE: &str = concat!(
    "SELECT id FROM view.catalogue WHERE id = ANY($1) AND status = 'published'",
    shown_by!("$2")
);

/// The maximum number of bytes of folded words. A lexeme takes its letters and at most five bytes
/// more, and each is followed by a space: a tsvector is at most two and a half times as long as its
/// words.
struct Bounds;

impl Bounds {
    const CODES: usize = 4_096;
    const NAMES: usize = 65_536;
    const CHARACTER: usize = 65_536;
    const TEXTS: usize = 262_144;
}

/// A product or its stock level can be set aside. Without a category or an assortment rule, other
/// products would be shown wrongly.
fn aside(event: &RecordedEvent) -> Option<Uuid> {
    matches!(event.stream_type.as_str(), "product" | "stock").then_some(event.stream_id)
}

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    match event {
        Event::Catalogue(event) => of_catalogue(recorded, event),
        Event::Inventory(inventory::Event::Stock(event)) => availability::changes(event),
        _ => vec![],
    }
}

fn of_catalogue(recorded: &RecordedEvent, event: &catalogue::Event) -> Vec<Change> {
    use catalogue::Event as E;
    match event {
        E::Product(event) => changes(recorded, event),
        E::Category(category::Event::Opened { id, parent, .. }) => {
            places::opened(id.0, parent.map(|parent| parent.0))
        }
        E::Category(category::Event::Moved { parent }) => {
            places::moved(recorded.stream_id, parent.map(|parent| parent.0))
        }
        E::Assortment(event) => places::ruled(recorded.stream_id, event),
        E::Category(_) | E::ProductCode(_) | E::Tree(_) => vec![],
    }
}

fn changes(recorded: &RecordedEvent, event: &product::Event) -> Vec<Change> {
    use product::Event as E;
    let id = recorded.stream_id;
    match event {
        E::Drafted { id, description } => drafted(recorded, id.0, description),
        E::Priced { currency, price } => {
            vec![change!(PRICE, id, currency.code(), price.to_string())]
        }
        E::Floored { currency, price } => {
            vec![change!(FLOOR, id, currency.code(), price.map(|price| price.to_string()))]
        }
        E::Renamed(naming) => renamed(id, naming),
        E::Described { texts } => {
            let words = words::within(Bounds::TEXTS, texts.values().map(product::Text::as_str));
            let known = places::known(&words);
            vec![change!(DESCRIBE, id, Json(texts.clone()), words), known]
        }
        E::Characterized(character) => characterized(id, character),
        E::Categorized { categories } => {
            let ids: Vec<Uuid> = categories.iter().map(|category| category.0).collect();
            let mut changes = vec![places::uncounted(id), change!(CATEGORIZE, id, ids)];
            changes.push(detail(id, "categories", categories.clone()));
            changes.extend(places::categorized(id));
            changes.push(places::counted(id));
            changes
        }
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
        E::ReturnTermSet { days } => vec![detail(id, "return_term_days", *days)],
        E::Published {} => {
            vec![change!(STATUS, id, "published"), places::opened_to_all(id), places::counted(id)]
        }
        E::Withdrawn { successor } => vec![
            places::uncounted(id),
            change!(STATUS, id, "withdrawn"),
            detail(id, "successor", *successor),
            places::left(id),
        ],
    }
}

fn drafted(recorded: &RecordedEvent, id: Uuid, description: &product::Description) -> Vec<Change> {
    let product::Description { sku, name, gtin, unit, vat_rate } = description;
    let codes = || [sku.as_str()].into_iter().chain(gtin.as_ref().map(domain::Gtin::as_str));
    let name_words = words::within(Bounds::NAMES, [name.as_str()]);
    let letters = words::letters_of_codes(codes()).join(" ");
    let known = [places::known(&name_words), places::known(&letters)];
    let mut changes = vec![
        change!(
            DRAFT,
            id,
            sku.to_string(),
            name.to_string(),
            gtin.as_ref().map(|gtin| gtin.as_str().to_owned()),
            name_of(unit),
            vat_rate.code(),
            recorded.position.0.cast_signed(),
            words::code(Bounds::CODES, codes()),
            words::sort_key(name.as_str()),
            name_words,
        ),
        places::stands(id, EVERYTHING),
    ];
    changes.extend(known);
    changes
}

fn renamed(id: Uuid, product::Naming { name, translations }: &product::Naming) -> Vec<Change> {
    let sort_name = words::sort_key(name.as_str());
    let names = [name].into_iter().chain(translations.values()).map(domain::Name::as_str);
    let name_words = words::within(Bounds::NAMES, names);
    let known = places::known(&name_words);
    vec![
        change!(
            RENAME,
            id,
            name.to_string(),
            Json(translations.clone()),
            sort_name.clone(),
            name_words
        ),
        places::renamed(id, sort_name),
        known,
    ]
}

fn characterized(id: Uuid, character: &product::Character) -> Vec<Change> {
    let brand = character.brand.as_ref();
    let attributes = character.attributes.iter().flat_map(|(name, attribute)| match attribute {
        Attribute::Text { value } => vec![value.as_str()],
        Attribute::Flag { value: true } => vec![name.as_str()],
        Attribute::Flag { value: false } | Attribute::Number { .. } => vec![],
    });
    let family = character.family.as_ref().map(domain::Reference::as_str);
    let said = brand.map(domain::Name::as_str).into_iter().chain(attributes).chain(family);
    let character_words = words::within(Bounds::CHARACTER, said);
    let known = places::known(&character_words);
    let mut changes = vec![places::uncounted(id), places::unbranded(id)];
    changes.push(detail(id, "character", character.clone()));
    let brand_id = brand.map(|name| places::brand(name.as_str()));
    changes.push(change!(CHARACTERIZE, id, character_words, brand_id));
    changes.extend(brand.into_iter().flat_map(|name| places::branded(id, name)));
    changes.push(places::counted(id));
    changes.push(known);
    changes
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
    /// Its description.
    #[serde(flatten)]
    pub description: product::Description,
    /// Its details.
    #[serde(flatten)]
    pub details: product::Details,
    /// Its status.
    pub status: Status,
    /// Net price of one unit, by currency.
    pub base_prices: BTreeMap<Currency, UnitPrice>,
    /// The floor price of one unit, by currency; shown only to the seller.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub floors: BTreeMap<Currency, UnitPrice>,
    /// The position of its first event; lists are sorted by it.
    #[serde(skip)]
    pub created: i64,
}

impl CatalogueItem {
    /// The description, with the VAT rate of a day.
    pub fn described(&self, on: Date) -> product::Description {
        let vat_rate = self.details.vat_rate(self.description.vat_rate, on);
        product::Description { vat_rate, ..self.description.clone() }
    }
}

/// The status of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ProductStatus")]
pub enum Status {
    /// A draft.
    Drafted,
    /// Published.
    Published,
    /// Withdrawn.
    Withdrawn,
}

/// Which products to list.
#[derive(Debug, Clone, Default)]
pub struct Filter<'a> {
    /// Only this product.
    pub id: Option<Uuid>,
    /// Only this SKU.
    pub sku: Option<&'a str>,
    /// Only published products, for buyers.
    pub published_only: bool,
    /// Only products of this category itself.
    pub category: Option<Uuid>,
    /// Only products visible to a company with these audiences, the most specific first; see
    /// [`domain::assortment::sees`].
    pub audiences: Option<Vec<Uuid>>,
}

/// Products in order of drafting, after `cursor`, at most `limit`; with texts if one is requested
/// by id.
pub async fn list(
    client: &Client,
    filter: &Filter<'_>,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<CatalogueItem>, ReadError> {
    let Filter { id, sku, published_only, category, audiences } = filter;
    let rows = client
        .query(LIST, &[id, sku, published_only, &cursor, &limit, &category, audiences])
        .await?;
    rows.iter().map(item_of).collect()
}

/// The published products among some that assortments show, the most specific audience first.
pub async fn visible(
    client: &Client,
    products: impl Iterator<Item = ProductId>,
    assortments: &[Uuid],
) -> Result<BTreeSet<ProductId>, ReadError> {
    let products: Vec<Uuid> = products.map(|product| product.0).collect();
    if products.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows = client.query(VISIBLE, &[&products, &assortments]).await?;
    Ok(rows.iter().map(|row| ProductId(row.get(0))).collect())
}

const SKUS: &str = "SELECT id, sku FROM view.catalogue WHERE id = ANY($1)";

/// The SKUs of products.
pub async fn skus(client: &Client, ids: &[Uuid]) -> Result<HashMap<ProductId, String>, ReadError> {
    let rows = client.query(SKUS, &[&ids]).await?;
    Ok(rows.iter().map(|row| (ProductId(row.get(0)), row.get(1))).collect())
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
        floors: json(row, 10)?,
    })
}
