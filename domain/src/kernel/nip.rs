//! NIP: the Polish tax identification number, ten digits with a check digit.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::kernel::characters::{Use, normalised};

/// A valid NIP, kept as ten bare digits. Dashes and spaces are accepted on input.
///
/// Source: ustawa z 13.10.1995 o zasadach ewidencji i identyfikacji podatników; the check digit is
/// the sum of digits weighted 6 5 7 2 3 4 5 6 7, modulo 11, and never 10.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Nip(String);

/// Why a text is no NIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NipError {
    /// Not ten digits.
    #[error("a NIP has exactly ten digits")]
    Length,
    /// Ten digits, but the last does not follow from the others.
    #[error("the check digit of the NIP is wrong")]
    CheckDigit,
}

impl Nip {
    const WEIGHTS: [u32; 9] = [6, 5, 7, 2, 3, 4, 5, 6, 7];

    /// The ten digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Nip {
    type Err = NipError;

    fn from_str(text: &str) -> Result<Self, NipError> {
        let text = normalised(text, Use::Identifier).map_err(|_| NipError::Length)?;
        let bare: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
        let digits: Vec<u32> =
            bare.chars().map(|c| c.to_digit(10)).collect::<Option<_>>().ok_or(NipError::Length)?;
        if digits.len() != 10 {
            return Err(NipError::Length);
        }
        let sum: u32 =
            Self::WEIGHTS.iter().zip(&digits).map(|(weight, digit)| weight * digit).sum();
        if sum % 11 != digits[9] {
            return Err(NipError::CheckDigit);
        }
        Ok(Self(bare))
    }
}

impl TryFrom<String> for Nip {
    type Error = NipError;

    fn try_from(text: String) -> Result<Self, NipError> {
        text.parse()
    }
}

impl From<Nip> for String {
    fn from(nip: Nip) -> Self {
        nip.0
    }
}

impl std::fmt::Display for Nip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Nip {
    fn schema_name() -> Cow<'static, str> {
        "Nip".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Polish tax number: ten digits, the last a check digit",
            "pattern": "^[0-9]{3}[- ]?[0-9]{2,3}[- ]?[0-9]{2}[- ]?[0-9]{2,3}$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, then: Result<&str, NipError>) {
        assert_eq!(text.parse::<Nip>().as_ref().map(Nip::as_str), then.as_ref().copied());
    }

    #[test]
    fn accepts_only_a_right_check_digit() {
        check("5260250274", Ok("5260250274"));
        check("526-025-02-74", Ok("5260250274"));
        check("1111111111", Ok("1111111111"));
        check("9999999999", Ok("9999999999"));
        check("1234567890", Err(NipError::CheckDigit));
        check("526025027", Err(NipError::Length));
        check("52602502744", Err(NipError::Length));
        check("526025027A", Err(NipError::Length));
        check("٥٢٦٠٢٥٠٢٧٤", Err(NipError::Length));
        check("", Err(NipError::Length));
    }
}
