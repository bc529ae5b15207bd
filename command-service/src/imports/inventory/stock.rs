//! Stock: each row has the stock level of a product.

use std::collections::HashSet;

use domain::{
    Claim, ProductId, Sku, Stock, StockId, claim,
    stock::{Command, Level},
};
use event_log::Work;
use uuid::Uuid;

use crate::failure::Failure;
use crate::imports::{Cells, Column, Import, cells::columns, product_of};

/// A row.
pub(crate) struct Row {
    sku: Sku,
    level: Level,
}

impl Import for Row {
    const COLUMNS: &'static [Column] = columns![sku needed, available needed, expected];

    fn read(cells: &mut Cells<'_>) -> Option<Self> {
        let sku: Option<Sku> = cells.needed("sku");
        let expected = cells.given("expected");
        let available = match cells.text("available") {
            Some(_) => cells.number("available"),
            None => cells.needed("available"),
        };
        Some(Self { sku: sku?, level: Level { available: available?, expected } })
    }

    async fn load(work: &mut Work, rows: &[(u32, Self)]) -> Result<(), Failure> {
        let claims = rows.iter().map(|(_, row)| claim::Value::Sku(row.sku.clone()).id().0);
        let found = work.load_many::<Claim>(claims.collect::<HashSet<_>>()).await?;
        let holders = found.iter().filter_map(|(id, _)| work.get::<Claim>(*id)?.holder());
        let streams: Vec<Uuid> = holders.map(|id| StockId::of(ProductId(id)).0).collect();
        work.load_many::<Stock>(streams).await?;
        Ok(())
    }

    async fn decide(&self, work: &mut Work) -> Result<(), Failure> {
        let (product, level) = (product_of(work, &self.sku)?, self.level);
        Ok(work.decide::<Stock>(StockId::of(product), Command::Report { product, level }).await?)
    }
}
