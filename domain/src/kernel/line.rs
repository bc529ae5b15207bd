//! A line of an offer, an order, a shipment or an invoice: how much of what at which price.

use std::borrow::Cow;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::kernel::{
    Currency, Money, Name, PricedBy, ProductId, Quantity, Sku, UnitPrice, VatRate,
    money::MoneyError,
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
    /// The day on which it is to arrive, where that was agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub deliver_on: Option<Date>,
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
#[serde(try_from = "Vec<L>", into = "Vec<L>")]
#[serde(bound(serialize = "L: Clone + Serialize", deserialize = "L: Deserialize<'de>"))]
pub struct Lines<L = Line>(Vec<L>);

/// Too few or too many lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a document has between 1 and {} lines", Lines::MAX)]
pub struct LinesError;

impl Lines {
    /// The most lines of one document: several times the longest that a wholesaler writes, and
    /// few enough that its events stay below what the log takes.
    pub const MAX: usize = 2_000;

    /// The sum of the net amounts of all lines. Refused beyond what one document may come to.
    pub fn net(&self, currency: Currency) -> Result<Money, MoneyError> {
        let nets = self.0.iter().map(|line| line.net(currency));
        nets.into_iter().try_fold(Money::zero(currency), Money::plus)?.within_ceiling()
    }
}

impl<L> Lines<L> {
    /// Every line with its number.
    pub fn numbered(&self) -> impl Iterator<Item = (u32, &L)> {
        (1..).zip(&self.0)
    }

    /// The line of this number.
    pub fn line(&self, number: u32) -> Option<&L> {
        self.0.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }
}

impl<L> TryFrom<Vec<L>> for Lines<L> {
    type Error = LinesError;

    fn try_from(lines: Vec<L>) -> Result<Self, LinesError> {
        if lines.is_empty() || lines.len() > Lines::MAX {
            return Err(LinesError);
        }
        Ok(Self(lines))
    }
}

impl<L> From<Lines<L>> for Vec<L> {
    fn from(lines: Lines<L>) -> Self {
        lines.0
    }
}

impl<L> std::ops::Deref for Lines<L> {
    type Target = [L];

    fn deref(&self) -> &[L] {
        &self.0
    }
}

impl<L: JsonSchema> JsonSchema for Lines<L> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}s", L::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "items": generator.subschema_for::<L>(),
            "minItems": 1,
            "maxItems": Lines::MAX,
        })
    }
}
