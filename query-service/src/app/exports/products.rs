//! Export of products, with the columns of the import.

use deadpool_postgres::Object;
use domain::Currency;
use futures::FutureExt;
use jiff::civil::Date;
use projections::views::catalogue::catalogue::{self, CatalogueItem, Filter, Status};
use service_kit::permissions::Sales;
use service_kit::{problem::Problem, sheet::Cell};

use super::{LIMIT, PAGE, Read, Sheet, next_after, pages};
use crate::{
    Queries,
    asker::{Asker, problem},
};

const HEADER: &[&str] = &[
    "sku", "name", "gtin", "unit", "vat_rate", "brand", "price", "floor", "currency", "category",
    "minimum", "multiple", "status",
];

/// Products.
pub async fn products(queries: &Queries, asker: &Asker) -> Result<Sheet, Problem> {
    asker.require::<Sales>()?;
    let place = LIMIT.take(asker.key()).await?;
    drop(asker.client(queries, &[catalogue::PROJECTION.name]).await?);
    // The same day for all rows, however long the export takes.
    let today = queries.clock.today();
    let all = pages(queries.clone(), move |client, after| read(client, today, after).boxed());
    Ok(Sheet { name: "products", header: HEADER, rows: all, place })
}

async fn read(client: Object, today: Date, after: Option<i64>) -> Read {
    let all = catalogue::list(&client, &Filter::default(), after, PAGE).await.map_err(problem)?;
    let rows = all.iter().flat_map(|item| rows(item, today)).collect();
    Ok((rows, next_after(&all, |item| item.created)))
}

/// A product has one row per currency with a base price or floor price, and at least one.
fn rows(item: &CatalogueItem, today: Date) -> Vec<Vec<Cell>> {
    let priced = |currency: &Currency| {
        item.base_prices.contains_key(currency) || item.floors.contains_key(currency)
    };
    let mut currencies: Vec<Option<Currency>> =
        Currency::ALL.into_iter().filter(priced).map(Some).collect();
    if currencies.is_empty() {
        currencies.push(None);
    }
    currencies.into_iter().map(|currency| row(item, currency, today)).collect()
}

fn row(item: &CatalogueItem, currency: Option<Currency>, today: Date) -> Vec<Cell> {
    let description = item.described(today);
    let CatalogueItem { details, base_prices, floors, .. } = item;
    let word = |value: serde_json::Result<serde_json::Value>| {
        Cell::text(value.ok().and_then(|value| value.as_str().map(ToOwned::to_owned)))
    };
    let price = currency.and_then(|currency| base_prices.get(&currency));
    let floor = currency.and_then(|currency| floors.get(&currency));
    let number = |number: Option<rust_decimal::Decimal>| number.map_or(Cell::Blank, Cell::Number);
    let status = match item.status {
        Status::Drafted => None,
        Status::Published => Some("published"),
        Status::Withdrawn => Some("withdrawn"),
    };
    vec![
        Cell::Text(description.sku.to_string()),
        Cell::Text(description.name.to_string()),
        Cell::text(description.gtin.as_ref().map(|gtin| gtin.as_str().to_owned())),
        word(serde_json::to_value(description.unit)),
        word(serde_json::to_value(description.vat_rate)),
        Cell::text(details.character.brand.as_ref().map(ToString::to_string)),
        number(price.map(|price| price.amount())),
        number(floor.map(|floor| floor.amount())),
        Cell::text(currency.map(Currency::code)),
        // The main category; the import supports one category per product.
        Cell::text(match details.categories.as_slice() {
            [category] => Some(category.to_string()),
            _ => None,
        }),
        number(details.packing.minimum.map(domain::Quantity::units)),
        number(details.packing.multiple.map(domain::Quantity::units)),
        Cell::text(status),
    ]
}
