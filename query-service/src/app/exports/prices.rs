//! Export of the prices of one agreement, with the columns of the import.

use deadpool_postgres::Object;
use domain::{
    AgreementId, Selection,
    price::{Break, Value},
};
use futures::FutureExt;
use projections::views::{
    catalogue::catalogue,
    pricing::prices::{self, Price},
};
use service_kit::permissions::Sales;
use service_kit::{problem::Problem, sheet::Cell};

use super::{LIMIT, PAGE, Read, Sheet, next_after, pages};
use crate::{
    Queries,
    asker::{Asker, problem},
};

const HEADER: &[&str] = &[
    "agreement",
    "sku",
    "category",
    "at_least",
    "price",
    "percent_off",
    "amount_off",
    "from",
    "until",
];

/// The prices of an agreement.
pub async fn prices(
    queries: &Queries,
    asker: &Asker,
    agreement: AgreementId,
) -> Result<Sheet, Problem> {
    asker.require::<Sales>()?;
    let views = [prices::PROJECTION.name, catalogue::PROJECTION.name];
    let place = LIMIT.take(asker.key()).await?;
    drop(asker.client(queries, &views).await?);
    let all = pages(queries.clone(), move |client, after| read(client, agreement, after).boxed());
    Ok(Sheet { name: "prices", header: HEADER, rows: all, place })
}

async fn read(client: Object, agreement: AgreementId, after: Option<i64>) -> Read {
    let all = prices::list(&client, agreement, after, PAGE).await.map_err(problem)?;
    let of = |price: &Price| match price.selection {
        Selection::Product { product } => Some(product),
        Selection::Category { .. } | Selection::Everything => None,
    };
    let products: Vec<uuid::Uuid> = all.iter().filter_map(of).map(|product| product.0).collect();
    let skus = catalogue::skus(&client, &products).await.map_err(problem)?;
    let rows = all
        .iter()
        .flat_map(|price| price.breaks.iter().map(move |each| (price, each)))
        .map(|(price, each)| {
            let sku = of(price).and_then(|product| skus.get(&product));
            row(agreement, price, sku.map(String::as_str), each)
        })
        .collect();
    Ok((rows, next_after(&all, |price| price.agreed)))
}

fn row(agreement: AgreementId, price: &Price, sku: Option<&str>, each: &Break) -> Vec<Cell> {
    let category = match price.selection {
        Selection::Category { category } => Some(category.to_string()),
        Selection::Product { .. } | Selection::Everything => None,
    };
    let (mut fixed, mut percent_off, mut amount_off) = (Cell::Blank, Cell::Blank, Cell::Blank);
    match each.value {
        Value::Fixed { price } => fixed = Cell::Number(price.amount()),
        Value::PercentOff { percent } => percent_off = Cell::Number(percent.hundredths()),
        Value::AmountOff { amount } => amount_off = Cell::Number(amount.amount()),
    }
    vec![
        Cell::Text(agreement.to_string()),
        Cell::text(sku),
        Cell::text(category),
        each.at_least.map_or(Cell::Blank, |least| Cell::Number(least.units())),
        fixed,
        percent_off,
        amount_off,
        Cell::text(price.days.from.map(|day| day.to_string())),
        Cell::text(price.days.until.map(|day| day.to_string())),
    ]
}
