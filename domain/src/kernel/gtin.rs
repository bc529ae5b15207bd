//! GTIN: the number under a bar code.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::kernel::characters::{Use, normalised};

/// A valid GTIN-8, -12, -13 or -14.
///
/// Source: GS1 General Specifications, 7.9: check digit modulo 10, weights 3 and 1 from the right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Gtin(String);

/// Why a text is no GTIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GtinError {
    /// Not 8, 12, 13 or 14 digits.
    #[error("a GTIN has 8, 12, 13 or 14 digits")]
    Length,
    /// The last digit does not follow from the others.
    #[error("the check digit of the GTIN is wrong")]
    CheckDigit,
}

impl Gtin {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same number in its shortest form: GTINs that differ in leading zeros are one.
    ///
    /// Source: GS1 General Specifications, 3.3.2: a GTIN is stored right-aligned in 14 digits.
    pub fn shortest(&self) -> &str {
        let meaning = self.0.trim_start_matches('0').len();
        let length = [8, 12, 13, 14].into_iter().find(|&length| length >= meaning).unwrap_or(14);
        &self.0[self.0.len().saturating_sub(length)..]
    }
}

impl std::str::FromStr for Gtin {
    type Err = GtinError;

    fn from_str(text: &str) -> Result<Self, GtinError> {
        let text = normalised(text, Use::Identifier).map_err(|_| GtinError::Length)?;
        let digits: Vec<u32> =
            text.chars().map(|c| c.to_digit(10)).collect::<Option<_>>().ok_or(GtinError::Length)?;
        if !matches!(digits.len(), 8 | 12 | 13 | 14) {
            return Err(GtinError::Length);
        }
        let sum: u32 = digits
            .iter()
            .rev()
            .zip([1, 3].into_iter().cycle())
            .map(|(digit, weight)| digit * weight)
            .sum();
        if !sum.is_multiple_of(10) {
            return Err(GtinError::CheckDigit);
        }
        Ok(Self(text.into_owned()))
    }
}

impl TryFrom<String> for Gtin {
    type Error = GtinError;

    fn try_from(text: String) -> Result<Self, GtinError> {
        text.parse()
    }
}

impl From<Gtin> for String {
    fn from(gtin: Gtin) -> Self {
        gtin.0
    }
}

impl JsonSchema for Gtin {
    fn schema_name() -> Cow<'static, str> {
        "Gtin".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "GS1 trade item number with its check digit",
            "pattern": "^([0-9]{8}|[0-9]{12,14})$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, then: Result<(), GtinError>) {
        assert_eq!(text.parse::<Gtin>().map(|_| ()), then);
    }

    #[test]
    fn accepts_only_a_right_check_digit() {
        check("5901234123457", Ok(()));
        check("5901234123458", Err(GtinError::CheckDigit));
        check("96385074", Ok(()));
        check("036000291452", Ok(()));
        check("15901234123454", Ok(()));
        check("59012341234", Err(GtinError::Length));
        check("590123412345X", Err(GtinError::Length));
    }

    #[test]
    fn knows_itself_by_its_shortest_form() {
        let shortest = |text: &str| text.parse::<Gtin>().unwrap().shortest().to_owned();
        assert_eq!(shortest("05901234123457"), "5901234123457");
        assert_eq!(shortest("0036000291452"), "036000291452");
        assert_eq!(shortest("036000291452"), "036000291452");
        assert_eq!(shortest("0000096385074"), "96385074");
        assert_eq!(shortest("15901234123454"), "15901234123454");
        assert_eq!(shortest("00000000"), "00000000");
    }
}
