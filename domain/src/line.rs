//! A line of an offer, an order, a shipment or an invoice: how much of what at which price.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{
    Currency, Money, Name, ProductId, Quantity, Sku, UnitPrice, VatRate, money::MoneyError,
    pricing::PricedBy,
};

/// A priced line. The currency is the document's, so that no document mixes two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What is sold.
    pub product: ProductId,
    /// Its code when the line was made.
    pub sku: Sku,
    /// Its name when the line was made.
    pub name: Name,
    /// How much of it.
    pub quantity: Quantity,
    /// Net price of one unit.
    pub unit_price: UnitPrice,
    /// The rate of its tax.
    pub vat_rate: VatRate,
    /// What made the price; missing where that was not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priced_by: Option<PricedBy>,
}

impl Line {
    /// Net amount of the line: quantity times unit price, rounded half up to the minor unit.
    pub fn net(&self, currency: Currency) -> Money {
        currency.round_half_up(self.quantity.units() * self.unit_price.amount())
    }
}

/// The lines of one document: at least one, at most [`Lines::MAX`]. A line's number is its place,
/// counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Line>", into = "Vec<Line>")]
pub struct Lines(Vec<Line>);

/// Too few or too many lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a document has between 1 and {} lines", Lines::MAX)]
pub struct LinesError;

impl Lines {
    /// The most lines of one document: several times the longest that a wholesaler writes, and
    /// few enough that its events stay below what the log takes.
    pub const MAX: usize = 2_000;

    /// The sum of the net amounts of all lines. Refused beyond what money holds.
    pub fn net(&self, currency: Currency) -> Result<Money, MoneyError> {
        self.0.iter().map(|line| line.net(currency)).try_fold(Money::zero(currency), Money::plus)
    }
}

impl TryFrom<Vec<Line>> for Lines {
    type Error = LinesError;

    fn try_from(lines: Vec<Line>) -> Result<Self, LinesError> {
        if lines.is_empty() || lines.len() > Self::MAX {
            return Err(LinesError);
        }
        Ok(Self(lines))
    }
}

impl From<Lines> for Vec<Line> {
    fn from(lines: Lines) -> Self {
        lines.0
    }
}

impl std::ops::Deref for Lines {
    type Target = [Line];

    fn deref(&self) -> &[Line] {
        &self.0
    }
}

impl JsonSchema for Lines {
    fn schema_name() -> Cow<'static, str> {
        "Lines".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "items": generator.subschema_for::<Line>(),
            "minItems": 1,
            "maxItems": Self::MAX,
        })
    }
}
