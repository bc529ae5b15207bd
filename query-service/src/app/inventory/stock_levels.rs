//! What each warehouse has of a product, what can be promised of it, and its movements.

use domain::{
    ProductId,
    stock::{Balance, promise},
};
use jiff::civil::Date;
use projections::views::{
    catalogue::catalogue,
    inventory::{
        stock::{self, ExpectedReceipt, Sums},
        stock_levels::{
            self, Level,
            movements::{self, Movement},
        },
        warehouses,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::permissions::ReadWarehouses;
use service_kit::{
    page::{Listing, Page},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    app::{one_more, only},
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[
    catalogue::PROJECTION.name,
    stock::PROJECTION.name,
    stock_levels::PROJECTION.name,
    warehouses::PROJECTION.name,
];

/// What there is of a product over all warehouses.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "ProductStock")]
pub struct ProductStock {
    /// Which product.
    pub product: ProductId,
    /// Sums over all warehouses.
    #[serde(flatten)]
    pub sums: Sums,
    /// What can be promised now and from the day of each expected receipt on: on hand − reserved −
    /// waiting + what is expected until then. Below zero where more is promised than will be there.
    pub promises: Vec<Promise>,
}

/// What can be promised from a day on.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "AvailableToPromise")]
pub struct Promise {
    /// From which day on; missing for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// How much.
    pub available: Balance,
}

/// What there is of a product over all warehouses.
pub async fn show(queries: &Queries, asker: &Asker, id: Uuid) -> Result<ProductStock, Problem> {
    asker.require::<ReadWarehouses>()?;
    let client = asker.client(queries, VIEWS).await?;
    let sums = only(stock::sums(&client, id).await.map_err(problem)?.into_iter().collect())?;
    let expected: Vec<_> =
        sums.receipts.iter().map(|receipt| (receipt.on, receipt.quantity.units())).collect();
    let available = |day: Date| {
        let (free, waiting) = (sums.free.units(), sums.waiting.units());
        let units = promise::available_on(free, waiting, expected.iter().copied(), day);
        Balance::ZERO.changed(units)
    };
    let now = Promise { from: None, available: available(Date::MIN) };
    let mut days: Vec<Date> = sums.receipts.iter().map(|ExpectedReceipt { on, .. }| *on).collect();
    days.dedup();
    let later = days.into_iter().map(|day| Promise { from: Some(day), available: available(day) });
    let promises = std::iter::once(now).chain(later).collect();
    Ok(ProductStock { product: ProductId(id), sums, promises })
}

/// Which warehouses.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Warehouses {}

/// What each warehouse has of a product.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    id: Uuid,
    Listing { page, filter: Warehouses {} }: Listing<Warehouses>,
) -> Result<Page<Level>, Problem> {
    asker.require::<ReadWarehouses>()?;
    let (limit, cursor) = page.read::<Uuid>()?;
    let client = asker.client(queries, VIEWS).await?;
    let items = stock_levels::list(&client, id, cursor, one_more(limit)).await.map_err(problem)?;
    Ok(Page::of(items, limit, |level| level.warehouse.0))
}

/// Which movements.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Movements {
    /// Those of this warehouse.
    pub warehouse: Option<Uuid>,
}

/// The movements of a product, newest first.
pub async fn movements(
    queries: &Queries,
    asker: &Asker,
    id: Uuid,
    Listing { page, filter: Movements { warehouse } }: Listing<Movements>,
) -> Result<Page<Movement>, Problem> {
    asker.require::<ReadWarehouses>()?;
    let (limit, cursor) = page.read::<(i64, Uuid)>()?;
    let client = asker.client(queries, VIEWS).await?;
    let items = movements::list(&client, id, warehouse, cursor, one_more(limit)).await;
    Ok(Page::of(items.map_err(problem)?, limit, |one| (one.position, one.warehouse.0)))
}
