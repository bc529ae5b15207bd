//! The catalogue's cache, and a consistent reader of it.

use std::sync::Arc;

use deadpool_postgres::Object;
use domain::Currency;
use event_log::Position;
use projections::{
    ReadError, Remembered,
    changed::changed,
    views::{
        catalogue::{assortments, catalogue, product_codes},
        inventory::stock,
        parties::companies,
        pricing::{discounts, price_agreements, prices},
    },
};
use uuid::Uuid;

use crate::catalogue_context::CompanyTerms;

/// Cached data of the catalogue. Each query first reads the positions of the last changes of the
/// read models, so outdated entries are not used.
#[derive(Debug)]
pub struct Memory {
    pub(crate) catalogue: catalogue::Memory,
    pub(crate) levels: stock::Levels,
    pub(crate) rules: prices::Rules,
    pub(crate) terms: Remembered<(Uuid, Currency), Arc<CompanyTerms>, TermsPositions>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            catalogue: catalogue::Memory::default(),
            levels: stock::Levels::default(),
            rules: prices::Rules::default(),
            terms: Remembered::at_most(Self::MOST_TERMS),
        }
    }
}

impl Memory {
    /// The maximum number of cached companies: some kilobytes each.
    const MOST_TERMS: usize = 10_000;
}

/// The position of the last change of the read models of companies.
pub(crate) type TermsPositions = [Position; 5];

/// A reader of the catalogue's read models.
pub(crate) struct Reading {
    pub(crate) client: Object,
    pub(crate) memory: Arc<Memory>,
    pub(crate) changed: Changed,
}

/// The position of the last change of its read models.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Changed {
    pub(crate) terms: TermsPositions,
    pub(crate) catalogue: Position,
    pub(crate) prices: Position,
    pub(crate) stock: Position,
}

impl Reading {
    /// Reads the positions of the read models.
    pub(crate) async fn open(client: Object, memory: Arc<Memory>) -> Result<Self, ReadError> {
        let of = [
            assortments::PROJECTION,
            companies::PROJECTION,
            discounts::PROJECTION,
            price_agreements::PROJECTION,
            product_codes::PROJECTION,
            catalogue::PROJECTION,
            prices::PROJECTION,
            stock::PROJECTION,
        ];
        let [terms @ .., catalogue, prices, stock] = changed(&client, of).await?;
        let changed = Changed { terms, catalogue, prices, stock };
        Ok(Self { client, memory, changed })
    }
}
