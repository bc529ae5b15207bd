//! What a company wants a price for: products of the catalogue, or things in its own words.

use std::borrow::Cow;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::kernel::{Name, Note, ProductId, Quantity, Sku, UnitPrice};

/// So much of something, for which a price is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "QuotationWish")]
pub struct Wish {
    /// Of what.
    pub what: Wanted,
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
#[schemars(rename = "QuotationWanted")]
pub enum Wanted {
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

/// All that a company wants prices for at once: at least one wish, at most [`Wishes::MAX`]. A
/// wish's number is its place, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Wish>", into = "Vec<Wish>")]
pub struct Wishes(Vec<Wish>);

/// Too few or too many wishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a request for quotation has between 1 and {} lines", Wishes::MAX)]
pub struct WishesError;

impl Wishes {
    /// The most at once: somebody must look at each of them.
    pub const MAX: usize = 500;
}

impl TryFrom<Vec<Wish>> for Wishes {
    type Error = WishesError;

    fn try_from(wishes: Vec<Wish>) -> Result<Self, WishesError> {
        if wishes.is_empty() || wishes.len() > Self::MAX {
            return Err(WishesError);
        }
        Ok(Self(wishes))
    }
}

impl From<Wishes> for Vec<Wish> {
    fn from(wishes: Wishes) -> Self {
        wishes.0
    }
}

impl std::ops::Deref for Wishes {
    type Target = [Wish];

    fn deref(&self) -> &[Wish] {
        &self.0
    }
}

impl JsonSchema for Wishes {
    fn schema_name() -> Cow<'static, str> {
        "Wishes".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "items": generator.subschema_for::<Wish>(),
            "minItems": 1,
            "maxItems": Self::MAX,
        })
    }
}
