//! `bought_products`: what companies have bought before, as invoices say it.

use std::collections::BTreeMap;

use domain::{
    CompanyId, Currency, Event, Lines, Name, ProductId, Quantity, Sku, UnitPrice, billing, invoice,
};
use event_log::RecordedEvent;
use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError, aside, build,
    projection::change,
    row::{parsed, word},
    words,
};

/// A row for each company and product, however often it was bought: some 100,000 of a company at
/// most. A list reads one index in its order; a search reads the words of one company's rows.
pub const PROJECTION: Projection = Projection {
    name: "bought_products",
    schema: "
        CREATE TABLE bought_products (
            company_id uuid NOT NULL,
            product_id uuid NOT NULL,
            -- Code and name as the last invoice says them, and both as words are searched.
            sku text NOT NULL,
            name text NOT NULL,
            words text NOT NULL,
            -- On how many invoices it was.
            times bigint NOT NULL,
            last_on date NOT NULL,
            last_price text NOT NULL,
            last_currency text NOT NULL,
            -- Its quantities on the last invoices, the newest first, at most nine: their median is
            -- the usual one.
            quantities text[] NOT NULL,
            -- The last invoice, by its position.
            bought bigint NOT NULL,
            PRIMARY KEY (company_id, product_id)
        );
        CREATE INDEX ON bought_products (company_id, bought, product_id)",
    tables: &["bought_products"],
    reads: &["invoice"],
    aside: aside::company,
    apply,
    build: build::BOUGHT_PRODUCTS,
};

const BUY: &str = "
    INSERT INTO bought_products AS known (
        company_id, product_id, sku, name, words, times, last_on, last_price, last_currency,
        quantities, bought)
    SELECT $1, product_id, sku, name, words, 1, $7, price, $8, ARRAY[quantity], $9
    FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $10::text[])
        AS line (product_id, sku, name, words, price, quantity)
    ON CONFLICT (company_id, product_id) DO UPDATE SET
        sku = excluded.sku, name = excluded.name, words = excluded.words,
        times = known.times + 1, last_on = excluded.last_on, last_price = excluded.last_price,
        last_currency = excluded.last_currency,
        quantities = (excluded.quantities || known.quantities)[1:9], bought = excluded.bought";
const LIST: &str = "
    SELECT product_id, sku, name, times, last_on, last_price, last_currency, quantities, bought
    FROM view.bought_products
    WHERE company_id = $1 AND (words LIKE ALL($2::text[]))
        AND ($3::bigint IS NULL OR (bought, product_id) < ($3, $4::uuid))
    ORDER BY bought DESC, product_id DESC LIMIT $5";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Billing(billing::Event::Invoice(event)) = event else { return vec![] };
    match event {
        invoice::Event::Issued { company, currency, lines, on, .. } => {
            vec![bought(recorded, *company, *currency, lines, *on)]
        }
        invoice::Event::CreditNoteIssued { .. }
        | invoice::Event::Corrected { .. }
        | invoice::Event::PartPaid { .. }
        | invoice::Event::Paid { .. }
        | invoice::Event::Credited { .. }
        | invoice::Event::CreditGiven { .. } => vec![],
    }
}

fn bought(
    recorded: &RecordedEvent,
    company: CompanyId,
    currency: Currency,
    lines: &Lines,
    on: Date,
) -> Change {
    // Of several lines of a product the last one says its price, and all of them how much.
    let mut products: BTreeMap<ProductId, (&domain::Line, Decimal)> = BTreeMap::new();
    for line in lines.iter() {
        let sum = products.get(&line.product).map_or(Decimal::ZERO, |(_, sum)| *sum);
        // A sum that no quantity holds is told as the last one.
        let sum = sum.checked_add(line.quantity.units()).filter(|sum| Quantity::new(*sum).is_ok());
        products.insert(line.product, (line, sum.unwrap_or(line.quantity.units())));
    }
    let all = |of: &dyn Fn(&domain::Line) -> String| {
        products.values().map(|(line, _)| of(line)).collect::<Vec<String>>()
    };
    let words_of =
        |line: &domain::Line| words::within(MOST_WORDS, [line.sku.as_str(), line.name.as_str()]);
    let quantities: Vec<String> =
        products.values().map(|(_, sum)| sum.normalize().to_string()).collect();
    change!(
        BUY,
        company.0,
        products.keys().map(|product| product.0).collect::<Vec<Uuid>>(),
        all(&|line| line.sku.to_string()),
        all(&|line| line.name.to_string()),
        all(&words_of),
        all(&|line| line.unit_price.to_string()),
        on,
        currency.code(),
        recorded.position.0.cast_signed(),
        quantities
    )
}

/// How many bytes of words are searched.
const MOST_WORDS: usize = 2_000;

/// A product that a company has bought.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct BoughtProduct {
    /// Which product.
    pub product: ProductId,
    /// Its code on the last invoice.
    pub sku: Sku,
    /// Its name on the last invoice.
    pub name: Name,
    /// On how many invoices it was.
    pub times: i64,
    /// The day of the last invoice.
    #[schemars(with = "String", extend("format" = "date"))]
    pub last_on: Date,
    /// What one unit cost then, net.
    pub last_price: UnitPrice,
    /// In which currency.
    pub currency: Currency,
    /// How much was bought then.
    pub last_quantity: Quantity,
    /// How much is bought as a rule: the median of the last nine invoices.
    pub usual_quantity: Quantity,
    /// Where in the log the last invoice is; lists are in this order, newest first.
    #[serde(skip)]
    pub bought: i64,
}

/// What a company has bought, the latest first, from before `cursor`, at most `limit`; `sought` are
/// words or beginnings of words of code and name.
pub async fn list(
    client: &Client,
    company: Uuid,
    sought: &str,
    cursor: Option<(i64, Uuid)>,
    limit: i64,
) -> Result<Vec<BoughtProduct>, ReadError> {
    // Words are letters and digits only, so nothing in them means anything to LIKE.
    let patterns: Vec<String> =
        words::of(sought).into_iter().take(MOST_SOUGHT).map(|word| format!("%{word}%")).collect();
    let (bought, product) = cursor.unzip();
    let rows = client.query(LIST, &[&company, &patterns, &bought, &product, &limit]).await?;
    rows.iter().map(bought_product).collect()
}

/// How many words of a search count.
const MOST_SOUGHT: usize = 8;

fn bought_product(row: &Row) -> Result<BoughtProduct, ReadError> {
    let quantities: Vec<String> = row.get("quantities");
    let quantities: Result<Vec<Quantity>, _> =
        quantities.iter().map(|quantity| quantity.parse::<Quantity>()).collect();
    let mut quantities = quantities.map_err(|_| ReadError::Malformed)?;
    let last_quantity = *quantities.first().ok_or(ReadError::Malformed)?;
    quantities.sort_unstable();
    Ok(BoughtProduct {
        product: ProductId(row.get("product_id")),
        sku: word(row, "sku")?,
        name: word(row, "name")?,
        times: row.get("times"),
        last_on: row.get("last_on"),
        last_price: parsed(row, "last_price")?,
        currency: parsed(row, "last_currency")?,
        last_quantity,
        usual_quantity: quantities[quantities.len() / 2],
        bought: row.get("bought"),
    })
}
