//! Stock of a product: the quantity available for sale, as last reported.

use std::borrow::Cow;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::{
    CompanyId, OfCompany, ProductId, Quantity, StockId,
    aggregate::aggregate,
    day::{self, DayError},
    quantity::QuantityError,
    refusal::refusals,
};

/// The last reported level.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stock {
    level: Option<Level>,
}

/// A stock level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// The quantity available for sale, in the product's units.
    pub available: Available,
    /// The day on which more is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub expected: Option<Date>,
}

/// A quantity or zero. In JSON it is a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Available(pub Option<Quantity>);

/// The commands of stock.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Record a reported level.
    Report {
        /// The product.
        product: ProductId,
        /// Its level.
        level: Level,
    },
}

/// The events of stock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A level was reported.
    Reported {
        /// The product.
        product: ProductId,
        /// The quantity available for sale, in the product's units.
        available: Available,
        /// The day on which more is expected.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>", extend("format" = "date"))]
        expected: Option<Date>,
    },
}

aggregate!(Stock, "stock", {
    Reported => "reported" v 1,
});

/// Why a report is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The day is outside the accepted range.
    #[error(transparent)]
    Day(#[from] DayError),
}

refusals!(Error, {
    Day => ("day.out_of_range", Invalid),
});

impl Stock {
    /// Every rule of stock.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        let Command::Report { product, level } = command;
        if self.level == Some(level) {
            return Ok(vec![]);
        }
        let Level { available, expected } = level;
        let expected = expected.map(day::checked).transpose()?;
        Ok(vec![Event::Reported { product, available, expected }])
    }

    fn evolve(mut self, event: Event) -> Self {
        let Event::Reported { available, expected, .. } = event;
        self.level = Some(Level { available, expected });
        self
    }
}

impl StockId {
    /// The id of a product's stock: one stream per product.
    pub fn of(product: ProductId) -> Self {
        Self(Uuid::new_v5(&product.0, b"stock"))
    }
}

impl OfCompany for Stock {
    fn company(&self) -> Option<CompanyId> {
        // Stock belongs to the seller, not to a company.
        None
    }
}

impl std::str::FromStr for Available {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let zero = crate::kernel::money::exact(text).is_some_and(|number| number.is_zero());
        if zero { Ok(Self(None)) } else { text.parse().map(|quantity| Self(Some(quantity))) }
    }
}

impl TryFrom<String> for Available {
    type Error = QuantityError;

    fn try_from(text: String) -> Result<Self, QuantityError> {
        text.parse()
    }
}

impl From<Available> for String {
    fn from(available: Available) -> Self {
        available.to_string()
    }
}

impl std::fmt::Display for Available {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(quantity) => quantity.fmt(f),
            None => f.write_str("0"),
        }
    }
}

impl JsonSchema for Available {
    fn schema_name() -> Cow<'static, str> {
        "Available".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]{1,10}(\\.[0-9]{1,3})?$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{answer, day};

    fn level(available: &str, expected: Option<&str>) -> Level {
        Level { available: available.parse().unwrap(), expected: expected.map(day) }
    }

    #[test]
    fn says_a_thing_once() {
        let product = ProductId(Uuid::from_u128(1));
        let report = |level| Command::Report { product, level };
        let reported =
            |Level { available, expected }| Event::Reported { product, available, expected };
        let (some, none) = (level("12.5", None), level("0", Some("2026-12-01")));
        for (given, when, then) in [
            (vec![], some, vec![reported(some)]),
            (vec![reported(some)], some, vec![]),
            (vec![reported(some)], none, vec![reported(none)]),
            (vec![reported(some), reported(none)], some, vec![reported(some)]),
        ] {
            assert_eq!(answer::<Stock>(&given, report(when)), Ok(then));
        }
        let far = level("1", Some("9998-01-01"));
        assert!(answer::<Stock>(&[], report(far)).is_err());
    }

    #[test]
    fn nothing_is_a_level_and_less_is_none() {
        for (text, shown) in
            [("0", Some("0")), ("0.000", Some("0")), ("7", Some("7")), ("-1", None)]
        {
            let parsed = text.parse::<Available>().ok().map(|available| available.to_string());
            assert_eq!(parsed.as_deref(), shown, "{text}");
        }
    }
}
