//! The feed of an external warehouse: each row is a level, a receipt or goods that left.

use domain::stock::Available;
use event_log::Work;

use crate::{
    app::inventory::stock::feed::{self, Kind},
    failure::Failure,
    imports::{Cells, Column, Import, cells::columns},
};

/// A row.
pub(crate) struct Row(feed::Row);

impl Import for Row {
    const COLUMNS: &'static [Column] = columns![
        reference needed, kind needed, sku needed, warehouse needed, quantity needed, lot,
        best_before, receipt,
    ];

    fn read(cells: &mut Cells<'_>) -> Option<Self> {
        let (reference, sku) = (cells.needed("reference"), cells.needed("sku"));
        let kind: Option<Kind> = cells.needed("kind");
        let warehouse = cells.needed("warehouse");
        let quantity: Option<Available> = match cells.text("quantity") {
            Some(_) => cells.number("quantity"),
            None => cells.needed("quantity"),
        };
        let (lot, receipt) = (cells.given("lot"), cells.given("receipt"));
        let best_before = cells.given("best_before");
        Some(Self(feed::Row {
            reference: reference?,
            kind: kind?,
            sku: sku?,
            warehouse: warehouse?,
            quantity: quantity?,
            lot,
            best_before,
            receipt,
        }))
    }

    async fn load(work: &mut Work, rows: &[(u32, Self)]) -> Result<(), Failure> {
        let rows: Vec<feed::Row> = rows.iter().map(|(_, Self(row))| row.clone()).collect();
        feed::load(work, &rows).await
    }

    async fn decide(&self, work: &mut Work) -> Result<(), Failure> {
        self.0.decide(work).await?;
        Ok(())
    }
}
