//! Bounded text: what people type, with its length and characters checked once.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Text that does not fit its field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but blanks.
    #[error("{what} must not be empty")]
    Empty {
        /// The kind of text.
        what: &'static str,
    },
    /// More characters than the field holds.
    #[error("{what} must not be longer than {max} characters")]
    TooLong {
        /// The kind of text.
        what: &'static str,
        /// The most characters allowed.
        max: usize,
    },
    /// Control characters, which no document can show.
    #[error("{what} must not contain control characters")]
    Control {
        /// The kind of text.
        what: &'static str,
    },
}

fn checked(what: &'static str, max: usize, text: &str) -> Result<String, TextError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(TextError::Empty { what });
    }
    if text.chars().count() > max {
        return Err(TextError::TooLong { what, max });
    }
    if text.chars().any(char::is_control) {
        return Err(TextError::Control { what });
    }
    Ok(text.to_owned())
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = TextError;

            fn try_from(text: String) -> Result<Self, TextError> {
                checked($what, $max, &text).map(Self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                checked($what, $max, text).map(Self)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "minLength": 1, "maxLength": $max })
            }
        }
    };
}

text!(
    /// By which a firm knows who pays for goods, such as "kitchen 2".
    CostCentre, "a cost centre", 64
);
text!(
    /// By which a group of companies is known, such as "hotels".
    GroupCode, "a group", 64
);
text!(
    /// What a company or a product is called.
    Name, "a name", 200
);
text!(
    /// Free words between the parties, such as the reason of a rejection or a transfer's title.
    Note, "a note", 1000
);
text!(
    /// A number or name by which another system knows a thing.
    Reference, "a reference", 100
);
text!(
    /// Stock keeping unit: the seller's code of a product. Case matters.
    Sku, "a SKU", 64
);
