//! `assortments`: which audiences see which products.

use deadpool_postgres::Object;
use domain::{
    AssortmentId, Audience, Event, ProductId, Selection,
    assortment::{self, Verdict},
    catalogue,
};
use event_log::RecordedEvent;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError, aside, build,
    projection::change,
    row::{json, name_of, word},
};

/// Rules by audience and selection.
pub const PROJECTION: Projection = Projection {
    name: "assortments",
    schema: "
        CREATE TABLE assortments (
            assortment_id uuid NOT NULL,
            -- 'everything', or the id of a category or a product.
            selected text NOT NULL CHECK (octet_length(selected) <= 36),
            audience jsonb NOT NULL,
            selection jsonb NOT NULL,
            verdict text NOT NULL,
            -- Whether it is about one product; of such there can be many.
            of_product boolean NOT NULL,
            ruled bigint NOT NULL UNIQUE,
            PRIMARY KEY (assortment_id, selected)
        );
        CREATE INDEX ON assortments (assortment_id, of_product)",
    tables: &["assortments"],
    reads: &["assortment"],
    aside: aside::nothing,
    apply,
    build: build::ASSORTMENTS,
};

const RULE: &str = "
    INSERT INTO assortments (assortment_id, selected, audience, selection, verdict, ruled, of_product)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (assortment_id, selected) DO UPDATE SET verdict = $5, ruled = $6";
const LIFT: &str = "DELETE FROM assortments WHERE assortment_id = $1 AND selected = $2";
const LIST: &str = "
    SELECT audience, selection, verdict, ruled FROM view.assortments
    WHERE ($1::uuid IS NULL OR assortment_id = $1) AND ($2::bigint IS NULL OR ruled > $2)
    ORDER BY ruled LIMIT $3";

/// The rules for categories and all products, and one `null` row if there are rules for products.
const OUTLINE: &str = "
    SELECT assortment_id, selection, verdict FROM view.assortments
    WHERE assortment_id = ANY($1) AND NOT of_product
    UNION ALL
    SELECT id, NULL, NULL FROM unnest($1) AS picky (id)
    WHERE EXISTS (SELECT FROM view.assortments WHERE assortment_id = picky.id AND of_product)";
const ON_PRODUCTS: &str = "
    SELECT assortment_id, selection, verdict FROM view.assortments
    WHERE assortment_id = ANY($1) AND selected = ANY($2)";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Catalogue(catalogue::Event::Assortment(event)) = event else { return vec![] };
    let rule = |audience: &Audience, selection: &Selection, verdict: Verdict| {
        change!(
            RULE,
            recorded.stream_id,
            selected(*selection),
            Json(audience.clone()),
            Json(*selection),
            name_of(&verdict),
            recorded.position.0.cast_signed(),
            matches!(selection, Selection::Product { .. })
        )
    };
    vec![match event {
        assortment::Event::Allowed { audience, selection } => {
            rule(audience, selection, Verdict::Allowed)
        }
        assortment::Event::Denied { audience, selection } => {
            rule(audience, selection, Verdict::Denied)
        }
        assortment::Event::Lifted { selection, .. } => {
            change!(LIFT, recorded.stream_id, selected(*selection))
        }
    }]
}

fn selected(selection: Selection) -> String {
    match selection {
        Selection::Everything => "everything".to_owned(),
        Selection::Category { category } => category.to_string(),
        Selection::Product { product } => product.to_string(),
    }
}

/// An assortment rule.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "AssortmentRule")]
pub struct Rule {
    /// The audience.
    pub audience: Audience,
    /// The selection of products.
    pub selection: Selection,
    /// Whether the products are visible.
    pub verdict: Verdict,
    /// The position of its event; lists are sorted by it.
    #[serde(skip)]
    pub ruled: i64,
}

/// Rules in the order in which they were made, of one audience or of all, after `cursor`, at most
/// `limit`.
pub async fn list(
    client: &Client,
    audience: Option<&Audience>,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Rule>, ReadError> {
    let assortment: Option<Uuid> = audience.map(|audience| AssortmentId::of(audience).0);
    let rows = client.query(LIST, &[&assortment, &cursor, &limit]).await?;
    rows.iter().map(rule_of).collect()
}

/// The rules of assortments for categories and all products.
#[derive(Debug, Clone, Default)]
pub struct Outline {
    /// The rules, by assortment.
    pub rules: Vec<(AssortmentId, Selection, Verdict)>,
    /// The assortments that have rules for products too.
    pub picky: Vec<Uuid>,
}

/// The rules of some assortments for categories and all products.
pub async fn outline(client: &Object, assortments: &[Uuid]) -> Result<Outline, ReadError> {
    let statement = client.prepare_cached(OUTLINE).await?;
    let mut outline = Outline::default();
    for row in client.query(&statement, &[&assortments]).await? {
        let assortment: Uuid = row.get(0);
        match row.try_get::<_, Option<Json<Selection>>>(1)? {
            Some(Json(selection)) => {
                outline.rules.push((AssortmentId(assortment), selection, word(&row, 2)?));
            }
            None => outline.picky.push(assortment),
        }
    }
    Ok(outline)
}

/// The rules of some assortments for some products.
pub async fn on_products(
    client: &Object,
    assortments: &[Uuid],
    products: &[ProductId],
) -> Result<Vec<(AssortmentId, Selection, Verdict)>, ReadError> {
    let selected: Vec<String> = products.iter().map(ToString::to_string).collect();
    let statement = client.prepare_cached(ON_PRODUCTS).await?;
    let rows = client.query(&statement, &[&assortments, &selected]).await?;
    let rule = |row: &Row| Ok((AssortmentId(row.get(0)), json(row, 1)?, word(row, 2)?));
    rows.iter().map(rule).collect()
}

fn rule_of(row: &Row) -> Result<Rule, ReadError> {
    Ok(Rule {
        audience: json(row, "audience")?,
        selection: json(row, "selection")?,
        verdict: word(row, "verdict")?,
        ruled: row.get("ruled"),
    })
}
