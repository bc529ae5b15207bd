//! The lines of a quotation request: products of the catalogue, or free text.

use std::borrow::Cow;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::kernel::{Name, Note, ProductId, Quantity, Sku, UnitPrice};

/// So much of something, for which a price is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "QuotationRequestLine")]
pub struct RequestedLine {
    /// Of what.
    pub what: RequestedProduct,
    /// How much of it.
    pub quantity: Quantity,
    /// The net price of one unit that the company hopes for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<UnitPrice>,
    /// The day on which it wants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub delivery_on: Option<Date>,
    /// What else matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// What a company wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "QuotationRequestProduct")]
pub enum RequestedProduct {
    /// Something that it sees in the catalogue.
    Product {
        /// Which product.
        product: ProductId,
        /// Its code when it was asked for.
        sku: Sku,
        /// Its name when it was asked for.
        name: Name,
    },
    /// Something that it says in its own words.
    Described {
        /// What.
        wanted: Note,
    },
}

/// The lines of a quotation request: at least one line, at most [`RequestedLines::MAX`]. A
/// line's number is its place, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<RequestedLine>", into = "Vec<RequestedLine>")]
pub struct RequestedLines(Vec<RequestedLine>);

/// Too few or too many lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a request for quotation has between 1 and {} lines", RequestedLines::MAX)]
pub struct RequestedLinesError;

impl RequestedLines {
    /// The most lines: each is processed by a person.
    pub const MAX: usize = 500;
}

impl TryFrom<Vec<RequestedLine>> for RequestedLines {
    type Error = RequestedLinesError;

    fn try_from(lines: Vec<RequestedLine>) -> Result<Self, RequestedLinesError> {
        if lines.is_empty() || lines.len() > Self::MAX {
            return Err(RequestedLinesError);
        }
        Ok(Self(lines))
    }
}

impl From<RequestedLines> for Vec<RequestedLine> {
    fn from(lines: RequestedLines) -> Self {
        lines.0
    }
}

impl std::ops::Deref for RequestedLines {
    type Target = [RequestedLine];

    fn deref(&self) -> &[RequestedLine] {
        &self.0
    }
}

impl JsonSchema for RequestedLines {
    fn schema_name() -> Cow<'static, str> {
        "QuotationRequestLines".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "items": generator.subschema_for::<RequestedLine>(),
            "minItems": 1,
            "maxItems": Self::MAX,
        })
    }
}
