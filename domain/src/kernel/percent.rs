//! A share in hundredths: a discount, a rate.

use std::borrow::Cow;

use rust_decimal::{Decimal, RoundingStrategy};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::kernel::{Money, money::exact};

/// More than 0, at most 100, at most two decimal places. JSON carries it as a string: `"2.5"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(Decimal);

/// What a part is of a whole, in hundredths, rounded half up (a half goes away from zero) to one
/// decimal place, which is always there: `"66.7"`. `None` where there is no whole.
pub fn share(part: Decimal, whole: Decimal) -> Option<Decimal> {
    let share = (part * Decimal::ONE_HUNDRED).checked_div(whole)?;
    let mut share = share.round_dp_with_strategy(1, RoundingStrategy::MidpointAwayFromZero);
    share.rescale(1);
    Some(share)
}

/// A number that is no percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a percentage is more than 0, at most 100, with at most two decimal places: \"2.5\"")]
pub struct PercentError;

impl Percent {
    /// Checks a number of hundredths.
    pub fn new(hundredths: Decimal) -> Result<Self, PercentError> {
        let hundredths = hundredths.normalize();
        let fits = hundredths > Decimal::ZERO && hundredths <= Decimal::ONE_HUNDRED;
        if fits && hundredths.scale() <= 2 { Ok(Self(hundredths)) } else { Err(PercentError) }
    }

    /// The number of hundredths.
    pub const fn hundredths(self) -> Decimal {
        self.0
    }

    /// By how much one price is lower than another, rounded up to two decimal places, so that no
    /// limit is passed by a hair; `None` when it is not lower.
    pub fn taken_off(from: Decimal, to: Decimal) -> Option<Self> {
        let share = (from - to).checked_div(from)? * Decimal::ONE_HUNDRED;
        Self::new(share.round_dp_with_strategy(2, RoundingStrategy::AwayFromZero)).ok()
    }

    /// Both together, all of it at most.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self((self.0 + other.0).min(Decimal::ONE_HUNDRED))
    }

    /// All of it.
    pub const ALL: Self = Self(Decimal::ONE_HUNDRED);

    /// So much of an amount, rounded half up to the minor unit.
    pub fn of(self, whole: Money) -> Money {
        whole.currency().round_half_up(whole.amount() * self.0 / Decimal::ONE_HUNDRED)
    }
}

impl std::str::FromStr for Percent {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, PercentError> {
        exact(text).ok_or(PercentError).and_then(Self::new)
    }
}

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "More than 0, at most 100, at most two decimal places",
            "pattern": "^[0-9]{1,3}(\\.[0-9]{1,2}0*)?$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::pln;

    #[track_caller]
    fn check(text: &str, then: Result<&str, PercentError>) {
        assert_eq!(text.parse::<Percent>().map(|p| p.to_string()), then.map(str::to_owned));
    }

    #[test]
    fn is_a_part_of_a_whole() {
        check("2", Ok("2"));
        check("2.50", Ok("2.5"));
        check("100", Ok("100"));
        for text in ["0", "-1", "100.01", "1.001", "", "2%", "1e1"] {
            check(text, Err(PercentError));
        }
    }

    #[test]
    fn rounds_half_up_to_the_minor_unit() {
        let of = |percent: &str, whole: &str| percent.parse::<Percent>().unwrap().of(pln(whole));
        assert_eq!(of("2", "123.45"), pln("2.47"));
        assert_eq!(of("2", "0.25"), pln("0.01"));
        assert_eq!(of("2", "0.24"), pln("0.00"));
        assert_eq!(of("100", "123.45"), pln("123.45"));
    }

    #[test]
    fn a_share_is_rounded_half_up_to_one_decimal_place() {
        let decimal = |text: &str| text.parse::<Decimal>().unwrap();
        for (part, whole, then) in [
            ("2", "3", Some("66.7")),
            ("1", "3", Some("33.3")),
            ("1", "2", Some("50.0")),
            ("0", "7", Some("0.0")),
            ("1", "2000", Some("0.1")),
            ("0.0499", "100", Some("0.0")),
            ("-1", "2000", Some("-0.1")),
            ("5", "0", None),
        ] {
            let share = share(decimal(part), decimal(whole)).map(|share| share.to_string());
            assert_eq!(share.as_deref(), then, "{part} of {whole}");
        }
    }

    #[test]
    fn what_was_taken_off_is_rounded_up() {
        let decimal = |text: &str| text.parse::<Decimal>().unwrap();
        for (from, to, share) in [
            ("10.00", "9.50", Some("5")),
            ("10.00", "9.4999", Some("5.01")),
            ("3.00", "2.00", Some("33.34")),
            ("1000000000", "999999999.9999", Some("0.01")),
            ("10.00", "0", Some("100")),
            ("10.00", "10.00", None),
            ("10.00", "11.00", None),
            ("0", "0", None),
        ] {
            let share = share.map(|share| share.parse().unwrap());
            assert_eq!(Percent::taken_off(decimal(from), decimal(to)), share, "{from} {to}");
        }
    }
}
