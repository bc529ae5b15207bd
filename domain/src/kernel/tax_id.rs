//! By which number a tax office knows a company.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::kernel::{
    Nip, Reference,
    characters::{Use, normalised},
    nip::NipError,
};

/// A Polish NIP, or whatever identifies a company abroad.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TaxId {
    /// A company registered in Poland.
    Nip {
        /// Its checked number.
        number: Nip,
    },
    /// A company registered elsewhere; the number is not checked.
    Foreign {
        /// Where it is registered.
        country: CountryCode,
        /// Its number there.
        number: Reference,
    },
}

impl TaxId {
    /// The number of a Polish company.
    pub fn nip(&self) -> Option<&Nip> {
        match self {
            Self::Nip { number } => Some(number),
            Self::Foreign { .. } => None,
        }
    }

    /// Whether it names Poland but is no NIP. Events of before this was refused hold such numbers,
    /// so it is read, and refused where a company is registered.
    pub fn evades_nip(&self) -> bool {
        match self {
            Self::Nip { .. } => false,
            Self::Foreign { country, .. } => country.as_str() == "PL",
        }
    }
}

/// A text that is no tax number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaxIdError {
    /// Neither a NIP nor a country with a number.
    #[error("a tax number is a NIP, or a country and the number there, such as DE123456789")]
    Shape,
    /// A NIP that is wrong.
    #[error(transparent)]
    Nip(#[from] NipError),
}

impl std::str::FromStr for TaxId {
    type Err = TaxIdError;

    /// As it is written: `PL5260250274`, a bare NIP, `DE123456789`.
    fn from_str(text: &str) -> Result<Self, TaxIdError> {
        let text = normalised(text, Use::Identifier).map_err(|_| TaxIdError::Shape)?;
        let text = text.trim();
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            return Ok(Self::Nip { number: text.parse()? });
        }
        let (country, number) = text.split_at_checked(2).ok_or(TaxIdError::Shape)?;
        let country: CountryCode = country.parse().map_err(|CountryCodeError| TaxIdError::Shape)?;
        if country.as_str() == "PL" {
            return Ok(Self::Nip { number: number.parse()? });
        }
        let number = number.parse().map_err(|_| TaxIdError::Shape)?;
        Ok(Self::Foreign { country, number })
    }
}

impl std::fmt::Display for TaxId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nip { number } => write!(f, "PL{number}"),
            Self::Foreign { country, number } => write!(f, "{}{number}", country.as_str()),
        }
    }
}

/// A country as two capital letters, ISO 3166-1 alpha-2.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CountryCode(String);

/// Not two capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a country is two capital letters, such as PL")]
pub struct CountryCodeError;

impl CountryCode {
    /// The two letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for CountryCode {
    type Err = CountryCodeError;

    fn from_str(text: &str) -> Result<Self, CountryCodeError> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for CountryCode {
    type Error = CountryCodeError;

    fn try_from(text: String) -> Result<Self, CountryCodeError> {
        if text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase()) {
            Ok(Self(text))
        } else {
            Err(CountryCodeError)
        }
    }
}

impl From<CountryCode> for String {
    fn from(country: CountryCode) -> Self {
        country.0
    }
}

impl JsonSchema for CountryCode {
    fn schema_name() -> Cow<'static, str> {
        "CountryCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Z]{2}$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_it_is_written() {
        for text in ["PL5260250274", "DE123456789", "CHCHE-123.456.788"] {
            assert_eq!(text.parse::<TaxId>().unwrap().to_string(), text);
        }
        let read = |text: &str| text.parse::<TaxId>();
        assert_eq!(read("526-025-02-74"), read("PL5260250274"));
        assert_eq!(read("5260250275"), Err(TaxIdError::Nip(NipError::CheckDigit)));
        for text in ["", "D", "de123", "PL", "Ż1"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
