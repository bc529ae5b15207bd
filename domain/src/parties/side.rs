//! The two sides of trade: who sells and who buys.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One of the two.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Who sells.
    Seller,
    /// The company that buys.
    Buyer,
}

impl Side {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Seller, Self::Buyer];

    /// The one across the table.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Seller => Self::Buyer,
            Self::Buyer => Self::Seller,
        }
    }

    /// As JSON and the database spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seller => "seller",
            Self::Buyer => "buyer",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_the_other_across_the_table_and_is_spelled_as_json_spells_it() {
        for side in Side::ALL {
            assert_ne!(side.other(), side);
            assert_eq!(side.other().other(), side);
            assert_eq!(serde_json::to_value(side).unwrap(), side.name());
        }
    }
}
