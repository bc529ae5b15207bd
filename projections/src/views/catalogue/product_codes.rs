//! `product_codes`: companies' own codes for products.

use deadpool_postgres::Object;
use domain::{CompanyId, Event, ProductId, Reference, Sku, catalogue, product_code};
use event_log::RecordedEvent;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError, aside, build,
    projection::change,
    row::{word, word_or_none},
    words,
};

/// Product codes by stream.
pub const PROJECTION: Projection = Projection {
    name: "product_codes",
    schema: "
        CREATE TABLE product_codes (
            id uuid PRIMARY KEY,
            company_id uuid NOT NULL,
            code text NOT NULL,
            -- The code in lower case, without diacritics and what separates its parts.
            folded text COLLATE \"C\" NOT NULL CHECK (octet_length(folded) <= 256),
            product_id uuid NOT NULL,
            assigned bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON product_codes (company_id, folded);
        CREATE INDEX ON product_codes (company_id, product_id);
        CREATE INDEX ON product_codes (company_id, assigned)",
    tables: &["product_codes"],
    reads: &["product_code"],
    aside: aside::stream,
    apply,
    build: build::PRODUCT_CODES,
};

const ASSIGN: &str = "
    INSERT INTO product_codes (id, company_id, code, folded, product_id, assigned)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (id) DO UPDATE SET product_id = $5, assigned = $6";
const DROP: &str = "DELETE FROM product_codes WHERE id = $1";
const LIST: &str = "
    SELECT code, product_id, product.sku, assigned
    FROM view.product_codes LEFT JOIN view.catalogue product ON product.id = product_id
    WHERE company_id = $1 AND ($2::bigint IS NULL OR assigned > $2) ORDER BY assigned LIMIT $3";
const MEANT: &str = "
    SELECT product_id FROM view.product_codes
    WHERE company_id = ANY($1) AND folded >= $2 AND folded < $2 || '~'
    GROUP BY product_id ORDER BY min(folded) LIMIT 100";
const ANY: &str = "SELECT EXISTS (SELECT FROM view.product_codes WHERE company_id = ANY($1))";
const OF_PRODUCTS: &str = "
    SELECT DISTINCT ON (product_id) product_id, code
    FROM unnest($1::uuid[]) WITH ORDINALITY AS firm (id, height)
    JOIN view.product_codes ON company_id = firm.id AND product_id = ANY($2)
    ORDER BY product_id, height, assigned DESC";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Catalogue(catalogue::Event::ProductCode(event)) = event else { return vec![] };
    let id = recorded.stream_id;
    vec![match event {
        product_code::Event::Assigned { company, code, product } => change!(
            ASSIGN,
            id,
            company.0,
            code.to_string(),
            words::whole(code.as_str()),
            product.0,
            recorded.position.0.cast_signed()
        ),
        product_code::Event::Dropped {} => change!(DROP, id),
    }]
}

/// A company's code for a product.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "ProductCode")]
pub struct Code {
    /// The company's code.
    pub code: Reference,
    /// The product.
    pub product: ProductId,
    /// Its SKU.
    pub sku: Option<Sku>,
    /// The position of its assignment; lists are sorted by it.
    #[serde(skip)]
    pub assigned: i64,
}

/// A company's codes in order of assignment, after `cursor`, at most `limit`.
pub async fn list(
    client: &Object,
    company: Uuid,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Code>, ReadError> {
    let statement = client.prepare_cached(LIST).await?;
    let rows = client.query(&statement, &[&company, &cursor, &limit]).await?;
    let code = |row: &Row| {
        Ok(Code {
            code: word(row, "code")?,
            product: ProductId(row.get("product_id")),
            sku: word_or_none(row, "sku")?,
            assigned: row.get("assigned"),
        })
    };
    rows.iter().map(code).collect()
}

/// The products whose codes with some companies have a prefix; see [`words::SearchWords::code`].
pub async fn meant(
    client: &Object,
    companies: &[CompanyId],
    folded: &str,
) -> Result<Vec<Uuid>, ReadError> {
    let companies: Vec<Uuid> = companies.iter().map(|company| company.0).collect();
    let statement = client.prepare_cached(MEANT).await?;
    let rows = client.query(&statement, &[&companies, &folded]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Whether some companies have product codes.
pub async fn any(client: &Object, companies: &[CompanyId]) -> Result<bool, ReadError> {
    let companies: Vec<Uuid> = companies.iter().map(|company| company.0).collect();
    let statement = client.prepare_cached(ANY).await?;
    Ok(client.query_one(&statement, &[&companies]).await?.get(0))
}

/// For each product, the code of the first of some companies that has one.
pub async fn of_products(
    client: &Object,
    companies: &[CompanyId],
    products: &[ProductId],
) -> Result<std::collections::HashMap<ProductId, Reference>, ReadError> {
    let companies: Vec<Uuid> = companies.iter().map(|company| company.0).collect();
    let products: Vec<Uuid> = products.iter().map(|product| product.0).collect();
    let statement = client.prepare_cached(OF_PRODUCTS).await?;
    let rows = client.query(&statement, &[&companies, &products]).await?;
    rows.iter().map(|row| Ok((ProductId(row.get(0)), word(row, 1)?))).collect()
}
