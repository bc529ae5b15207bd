//! How much of a product: a positive number of its units.

use std::borrow::Cow;

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::kernel::money::exact;

/// More than zero, at most a thousand million, at most three decimal places (grams, millimetres).
/// JSON carries it as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(Decimal);

/// Why a number is no quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Zero or less, or beyond the limit.
    #[error("a quantity is more than 0 and at most 1000000000")]
    Range,
    /// Finer than the third decimal place.
    #[error("a quantity has at most three decimal places")]
    Precision,
    /// Not a decimal number at all.
    #[error("a quantity is a decimal number in a string, such as \"12\" or \"0.5\"")]
    NotANumber,
}

impl Quantity {
    const MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

    /// Checks a number of units.
    pub fn new(units: Decimal) -> Result<Self, QuantityError> {
        if units <= Decimal::ZERO || units > Self::MAX {
            return Err(QuantityError::Range);
        }
        let units = units.normalize();
        if units.scale() > 3 {
            return Err(QuantityError::Precision);
        }
        Ok(Self(units))
    }

    /// One unit.
    pub const ONE: Self = Self(Decimal::ONE);
    /// The least of what can be parted: a thousandth.
    pub const LEAST: Self = Self(Decimal::from_parts(1, 0, 0, false, 3));

    /// The number of units.
    pub const fn units(self) -> Decimal {
        self.0
    }

    /// What is left after `other` is taken away: `None` when nothing is, an error when there is
    /// not enough.
    pub fn less(self, other: Self) -> Result<Option<Self>, QuantityError> {
        match self.0 - other.0 {
            rest if rest.is_zero() => Ok(None),
            rest => Self::new(rest).map(Some),
        }
    }
}

impl std::str::FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        exact(text).ok_or(QuantityError::NotANumber).and_then(Self::new)
    }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Quantity {
    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "More than 0, at most 1000000000, at most three decimal places",
            "pattern": "^[0-9]{1,10}(\\.[0-9]{1,3}0*)?$",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, then: Result<&str, QuantityError>) {
        assert_eq!(text.parse::<Quantity>().map(|q| q.to_string()), then.map(str::to_owned));
    }

    #[test]
    fn is_positive_bounded_and_exact() {
        check("1", Ok("1"));
        check("0.500", Ok("0.5"));
        check("1000000000", Ok("1000000000"));
        check("0", Err(QuantityError::Range));
        check("-1", Err(QuantityError::Range));
        check("1000000001", Err(QuantityError::Range));
        check("0.0001", Err(QuantityError::Precision));
        check("1e3", Err(QuantityError::NotANumber));
        check("NaN", Err(QuantityError::NotANumber));
        check("", Err(QuantityError::NotANumber));
        check("1_0", Err(QuantityError::NotANumber));
        check("+1", Err(QuantityError::NotANumber));
        check(&"9".repeat(1_000_000), Err(QuantityError::NotANumber));
    }

    proptest! {
        #[test]
        fn survives_json(units in 1_i64..1_000_000_000_000) {
            let quantity = Quantity::new(Decimal::new(units, 3)).unwrap();
            let json = serde_json::to_string(&quantity).unwrap();
            prop_assert_eq!(serde_json::from_str::<Quantity>(&json).unwrap(), quantity);
        }

        /// What is taken away and what is left is what there was.
        #[test]
        fn less_adds_up(all in 1_i64..10_000, part in 1_i64..10_000) {
            let milli = |units| Quantity::new(Decimal::new(units, 3)).unwrap();
            let left = match milli(all).less(milli(part)) {
                Ok(left) => left.map_or(Decimal::ZERO, Quantity::units),
                Err(error) => {
                    prop_assert!(part > all);
                    prop_assert_eq!(error, QuantityError::Range);
                    return Ok(());
                }
            };
            prop_assert_eq!(left, Decimal::new(all - part, 3));
        }
    }
}
