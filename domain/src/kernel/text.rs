//! Bounded text: what people type, with its length and characters checked once.

use std::{borrow::Cow, collections::BTreeSet};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::kernel::characters::{Unseen, Use, normalised};

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
    /// A character that nobody can see.
    #[error("{what} {unseen}")]
    Unseen {
        /// The kind of text.
        what: &'static str,
        /// Which character.
        unseen: Unseen,
    },
    /// Control characters, which no document can show.
    #[error("{what} must not contain control characters")]
    Control {
        /// The kind of text.
        what: &'static str,
    },
}

/// How many lines a text has.
#[derive(Clone, Copy)]
enum Lines {
    One,
    Many,
}

fn checked(
    what: &'static str,
    max: usize,
    lines: Lines,
    r#use: Use,
    text: &str,
) -> Result<String, TextError> {
    let text = normalised(text, r#use).map_err(|unseen| TextError::Unseen { what, unseen })?;
    // Browsers end lines in the way of 1970; one way is enough for history.
    let text = match lines {
        Lines::One => text,
        Lines::Many => Cow::Owned(text.replace("\r\n", "\n")),
    };
    let text = text.trim();
    let is_refused = |c: char| match lines {
        Lines::One => c.is_control(),
        Lines::Many => c.is_control() && c != '\n',
    };
    if text.is_empty() {
        return Err(TextError::Empty { what });
    }
    if text.chars().count() > max {
        return Err(TextError::TooLong { what, max });
    }
    if text.chars().any(is_refused) {
        return Err(TextError::Control { what });
    }
    Ok(text.to_owned())
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal, $lines:ident, $use:ident) => {
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
                checked($what, $max, Lines::$lines, Use::$use, &text).map(Self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                checked($what, $max, Lines::$lines, Use::$use, text).map(Self)
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
    /// By which a company knows who pays for goods, such as "kitchen 2".
    CostCentre, "a cost centre", 64, One, Identifier
);
impl CostCentre {
    /// Whether it is one of some: people write the same name in capitals or not.
    pub fn is_among(&self, others: &BTreeSet<Self>) -> bool {
        let folded = |one: &Self| one.as_str().to_lowercase();
        others.iter().any(|other| folded(other) == folded(self))
    }
}

text!(
    /// By which a group of companies is known, such as "hotels".
    GroupCode, "a group", 64, One, Identifier
);
text!(
    /// What people write to each other, in as many lines as they like.
    Message, "a message", 4000, Many, Words
);
text!(
    /// What a company or a product is called.
    Name, "a name", 200, One, Name
);
text!(
    /// Free words between the parties, such as the reason of a rejection or a transfer's title.
    Note, "a note", 1000, One, Words
);
text!(
    /// A number or name by which another system knows a thing.
    Reference, "a reference", 100, One, Identifier
);
text!(
    /// Stock keeping unit: the seller's code of a product. Case matters.
    Sku, "a SKU", 64, One, Identifier
);
text!(
    /// The seller's code of a warehouse, such as "WAW". Case matters.
    WarehouseCode, "a warehouse code", 32, One, Identifier
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_alone_have_lines() {
        let lines = "Dzień dobry,\r\nczy zdążą Państwo\ndo piątku?\n";
        let message: Message = lines.parse().unwrap();
        assert_eq!(message.as_str(), "Dzień dobry,\nczy zdążą Państwo\ndo piątku?");
        let stored = serde_json::to_string(&message).unwrap();
        assert_eq!(serde_json::from_str::<Message>(&stored).unwrap(), message);
        assert_eq!(lines.parse::<Note>(), Err(TextError::Control { what: "a note" }));
        for control in ["a\tb", "a\rb", "a\0b", "a\u{1b}[2Jb", "a\u{85}b"] {
            let refused = Err(TextError::Control { what: "a message" });
            assert_eq!(control.parse::<Message>(), refused, "{control:?}");
        }
    }

    #[test]
    fn a_message_has_up_to_four_thousand_characters() {
        let what = "a message";
        assert!("ż".repeat(4_000).parse::<Message>().is_ok());
        let long = "ż".repeat(4_001).parse::<Message>();
        assert_eq!(long, Err(TextError::TooLong { what, max: 4_000 }));
        assert_eq!(" \n ".parse::<Message>(), Err(TextError::Empty { what }));
    }
}
