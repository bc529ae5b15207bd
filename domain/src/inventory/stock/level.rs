//! Figures of stock: a reported level, quantities that may be zero, and balances that may be negative.

use std::borrow::Cow;

use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::kernel::{Quantity, money::exact, quantity::QuantityError};

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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Available(pub Option<Quantity>);

impl Available {
    /// The number of units.
    pub fn units(self) -> Decimal {
        self.0.map_or(Decimal::ZERO, Quantity::units)
    }
}

impl std::str::FromStr for Available {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let zero = exact(text).is_some_and(|number| number.is_zero());
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

/// A balance or a change of one: below zero too, at most three decimal places. JSON carries it as a
/// string.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Balance(Decimal);

impl Balance {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);
    /// The largest balance that a command may lead to, and the largest change that it may name.
    pub const CEILING: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);
    /// The largest sum of balances that can be stored: a million times the ceiling.
    pub const LARGEST_SUM: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);

    /// Checks a number of units.
    pub fn new(units: Decimal) -> Result<Self, BalanceError> {
        let units = units.normalize();
        if units.scale() > 3 || units.abs() > Self::LARGEST_SUM {
            return Err(BalanceError);
        }
        Ok(Self(units))
    }

    /// The number of units.
    pub const fn units(self) -> Decimal {
        self.0
    }

    /// The balance after a change.
    #[must_use]
    pub fn changed(self, by: Decimal) -> Self {
        Self((self.0 + by).normalize())
    }
}

/// Why a number is no balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a balance is a decimal number in a string, such as \"-2.5\", with at most three decimal places"
)]
pub struct BalanceError;

impl From<Quantity> for Balance {
    fn from(quantity: Quantity) -> Self {
        Self(quantity.units())
    }
}

impl std::str::FromStr for Balance {
    type Err = BalanceError;

    fn from_str(text: &str) -> Result<Self, BalanceError> {
        exact(text).ok_or(BalanceError).and_then(Self::new)
    }
}

impl TryFrom<String> for Balance {
    type Error = BalanceError;

    fn try_from(text: String) -> Result<Self, BalanceError> {
        text.parse()
    }
}

impl From<Balance> for String {
    fn from(balance: Balance) -> Self {
        balance.to_string()
    }
}

impl std::fmt::Display for Balance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl JsonSchema for Balance {
    fn schema_name() -> Cow<'static, str> {
        "Balance".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A number of units, below zero too, with at most three decimal places",
            "pattern": "^-?[0-9]{1,16}(\\.[0-9]{1,3})?$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_a_level_and_less_is_none() {
        for (text, shown) in
            [("0", Some("0")), ("0.000", Some("0")), ("7", Some("7")), ("-1", None)]
        {
            let parsed = text.parse::<Available>().ok().map(|available| available.to_string());
            assert_eq!(parsed.as_deref(), shown, "{text}");
        }
    }

    #[test]
    fn a_balance_may_be_negative() {
        for (text, shown) in [
            ("0.000", Some("0")),
            ("-2.50", Some("-2.5")),
            ("1000000000000000", Some("1000000000000000")),
            ("1000000000000001", None),
            ("0.0001", None),
            ("+1", None),
        ] {
            let parsed = text.parse::<Balance>().ok().map(|balance| balance.to_string());
            assert_eq!(parsed.as_deref(), shown, "{text}");
        }
    }
}
