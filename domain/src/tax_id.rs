//! By which number a tax office knows a company.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{Nip, Reference};

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

impl std::fmt::Display for TaxId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nip { number } => write!(f, "PL{number}"),
            Self::Foreign { country, number } => write!(f, "{}{number}", country.as_str()),
        }
    }
}

/// A country as two capital letters, ISO 3166-1 alpha-2.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
