//! The catalogue as it is read for somebody: a connection, and what was read lately that still holds.

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

/// What was read for the catalogue lately. Nothing of it is shown once it has changed: every look asks
/// first where the read models changed last.
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
    /// How many companies are remembered: some kilobytes each.
    const MOST_TERMS: usize = 10_000;
}

/// Where the read models changed last that say how the seller stands to a company.
pub(crate) type TermsPositions = [Position; 5];

/// A look into the read models of the catalogue.
pub(crate) struct Reading {
    pub(crate) client: Object,
    pub(crate) memory: Arc<Memory>,
    pub(crate) changed: Changed,
}

/// Where its read models changed last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Changed {
    pub(crate) terms: TermsPositions,
    pub(crate) catalogue: Position,
    pub(crate) prices: Position,
    pub(crate) stock: Position,
}

impl Reading {
    /// Asks where the read models are.
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
