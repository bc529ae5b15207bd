//! Readable numbers of offers, orders, payments and shipments, such as `ORD/2026/048213`.
//!
//! A number says where in the log the document began, so it is unique, is never given twice, is the
//! same after every rebuild and restore, and costs no stream that all documents would write to. There
//! are gaps: the log holds other things too. Documents of older builds have numbers as well.

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// What has a number of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `OFR/…`
    Offer,
    /// `ORD/…`
    Order,
    /// `PAY/…`
    Payment,
    /// `SHP/…`
    Shipment,
    /// `RET/…`
    GoodsReturn,
}

/// The number of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DocumentNumber {
    kind: Kind,
    year: i16,
    began: i64,
}

/// A text that is no such number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a number looks like ORD/2026/048213")]
pub struct DocumentNumberError;

impl DocumentNumber {
    /// The number of a document of a day that began at a position of the log.
    pub fn of(kind: Kind, on: Date, began: i64) -> Self {
        Self { kind, year: on.year(), began }
    }

    /// Where in the log the document began.
    pub const fn began(self) -> i64 {
        self.began
    }
}

impl Kind {
    const ALL: [Self; 5] =
        [Self::Offer, Self::Order, Self::Payment, Self::Shipment, Self::GoodsReturn];

    const fn prefix(self) -> &'static str {
        match self {
            Self::Offer => "OFR",
            Self::Order => "ORD",
            Self::Payment => "PAY",
            Self::Shipment => "SHP",
            Self::GoodsReturn => "RET",
        }
    }
}

impl fmt::Display for DocumentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:04}/{:06}", self.kind.prefix(), self.year, self.began)
    }
}

impl FromStr for DocumentNumber {
    type Err = DocumentNumberError;

    fn from_str(text: &str) -> Result<Self, DocumentNumberError> {
        let parts: Vec<&str> = text.trim().split('/').collect();
        let [prefix, year, began] = parts[..] else { return Err(DocumentNumberError) };
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let kind = Kind::ALL.into_iter().find(|kind| kind.prefix().eq_ignore_ascii_case(prefix));
        if year.len() != 4 || !is_number(year) || !is_number(began) {
            return Err(DocumentNumberError);
        }
        let number = Self {
            kind: kind.ok_or(DocumentNumberError)?,
            year: year.parse().map_err(|_| DocumentNumberError)?,
            began: began.parse().map_err(|_| DocumentNumberError)?,
        };
        if number.began == i64::MAX { Err(DocumentNumberError) } else { Ok(number) }
    }
}

impl TryFrom<String> for DocumentNumber {
    type Error = DocumentNumberError;

    fn try_from(text: String) -> Result<Self, DocumentNumberError> {
        text.parse()
    }
}

impl From<DocumentNumber> for String {
    fn from(number: DocumentNumber) -> Self {
        number.to_string()
    }
}

impl JsonSchema for DocumentNumber {
    fn schema_name() -> Cow<'static, str> {
        "ReadableNumber".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A readable number; unique, with gaps",
            "pattern": "^(OFR|ORD|PAY|SHP|RET)/[0-9]{4}/[0-9]{6,19}$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_it_is_written() {
        let number = DocumentNumber::of(Kind::Order, "2026-11-30".parse().unwrap(), 48_213);
        assert_eq!(number.to_string(), "ORD/2026/048213");
        assert_eq!("ORD/2026/048213".parse(), Ok(number));
        assert_eq!(" ord/2026/48213 ".parse(), Ok(number));
        let max = i64::MAX.to_string();
        for text in ["", "ORD", "FV/2026/1", "ORD/26/1", "ORD/2026/", "ORD/2026/-1", "ORD/2026/1/2"]
            .into_iter()
            .map(ToOwned::to_owned)
            .chain([format!("ORD/2026/{max}"), format!("ORD/2026/{max}0")])
        {
            assert_eq!(text.parse::<DocumentNumber>(), Err(DocumentNumberError), "{text}");
        }
    }
}
