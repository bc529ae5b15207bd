//! `prices`: the price rules of agreements.

mod changes;
mod rules;

use domain::{
    AgreementId, Event, Selection,
    price::{self, Break, Days},
    pricing,
};
use event_log::RecordedEvent;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

pub use self::rules::{Rules, Said};
use crate::{Change, Projection, ReadError, aside, build, projection::change, row::json};

/// Price rules by agreement, which has one audience and currency, by selection and days. A
/// withdrawn price leaves a row without breaks, so that the rows after a position show what has
/// changed since.
pub const PROJECTION: Projection = Projection {
    name: "prices",
    schema: "
        CREATE TABLE prices (
            agreement_id uuid NOT NULL,
            -- The first and the last day, each open without one.
            days jsonb NOT NULL CHECK (octet_length(days::text) <= 100),
            selection jsonb NOT NULL,
            -- The id of the product or the category, or nil for everything.
            selected uuid NOT NULL,
            -- Of one product; there are few others.
            of_product boolean NOT NULL,
            breaks jsonb NOT NULL,
            -- Or withdrawn.
            agreed bigint NOT NULL UNIQUE,
            PRIMARY KEY (agreement_id, selected, days)
        );
        CREATE INDEX ON prices (agreement_id, agreed);
        CREATE INDEX ON prices (agreement_id) WHERE NOT of_product",
    tables: &["prices"],
    reads: &["price"],
    aside: aside::nothing,
    apply,
    build: build::PRICES,
};

const AGREE: &str = "
    INSERT INTO prices (agreement_id, selected, days, selection, breaks, agreed, of_product)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (agreement_id, selected, days) DO UPDATE SET breaks = $5, agreed = $6";
const CLEAR: &str = "DELETE FROM prices WHERE agreement_id = $1 AND selected = $2";
const LIST: &str = "
    SELECT selection, days, breaks, agreed FROM view.prices
    WHERE agreement_id = $1 AND breaks <> '[]' AND ($2::bigint IS NULL OR agreed > $2) ORDER BY agreed LIMIT $3";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Pricing(pricing::Event::Price(event)) = event else { return vec![] };
    let says = |agreement: AgreementId, selection: Selection, days: Days, breaks: Vec<Break>| {
        change!(
            AGREE,
            agreement.0,
            selected(selection),
            Json(days),
            Json(selection),
            Json(breaks),
            recorded.position.0.cast_signed(),
            matches!(selection, Selection::Product { .. })
        )
    };
    match event {
        price::Event::Agreed { of, agreement, days, breaks } => {
            vec![says(*agreement, of.selection, *days, breaks.clone())]
        }
        price::Event::Withdrawn { of, agreement } => vec![
            change!(CLEAR, agreement.0, selected(of.selection)),
            says(*agreement, of.selection, Days::default(), vec![]),
        ],
    }
}

/// The lookup key of a selection: the id of the product or category, nil for all products.
pub fn selected(selection: Selection) -> Uuid {
    match selection {
        Selection::Everything => Uuid::nil(),
        Selection::Category { category } => category.0,
        Selection::Product { product } => product.0,
    }
}

/// A price rule.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "AgreementPrice")]
pub struct Price {
    /// The selection of products.
    pub selection: Selection,
    /// The days.
    pub days: Days,
    /// The quantity breaks.
    pub breaks: Vec<Break>,
    /// The position of its event; lists are sorted by it.
    #[serde(skip)]
    pub agreed: i64,
}

/// The prices of an agreement in the order in which they were agreed on, after `cursor`, at most
/// `limit`.
pub async fn list(
    client: &Client,
    agreement: AgreementId,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Price>, ReadError> {
    let agreement: Uuid = agreement.0;
    let rows = client.query(LIST, &[&agreement, &cursor, &limit]).await?;
    rows.iter().map(price_of).collect()
}

/// All prices of an agreement, with the SKUs of their products.
const WITH_SKUS: &str = "
    SELECT selection, days, breaks, agreed, product.sku FROM view.prices
    LEFT JOIN view.catalogue product ON product.id = (selection ->> 'product')::uuid
    WHERE agreement_id = $1 AND breaks <> '[]' ORDER BY product.sku, agreed";

/// The prices of an agreement, each with the SKU if it is of a product.
pub async fn with_skus(
    client: &Client,
    agreement: AgreementId,
) -> Result<Vec<(Price, Option<String>)>, ReadError> {
    let rows = client.query(WITH_SKUS, &[&agreement.0]).await?;
    rows.iter().map(|row| Ok((price_of(row)?, row.get("sku")))).collect()
}

fn price_of(row: &Row) -> Result<Price, ReadError> {
    Ok(Price {
        selection: json(row, "selection")?,
        days: json(row, "days")?,
        breaks: json(row, "breaks")?,
        agreed: row.get("agreed"),
    })
}
