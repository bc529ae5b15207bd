//! The rates of Polish value added tax.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A rate of Polish value added tax.
///
/// Source: ustawa o podatku od towarów i usług, art. 41 and 146ef (23 %, 8 %), art. 41 ust. 2a
/// (5 %), art. 41 ust. 4 and 83 (0 %, export among it), art. 43 (exempt, "zw").
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum VatRate {
    /// The basic rate.
    #[serde(rename = "23")]
    Basic,
    /// The first reduced rate.
    #[serde(rename = "8")]
    Reduced,
    /// The second reduced rate: basic food, books.
    #[serde(rename = "5")]
    SuperReduced,
    /// Taxed at nothing: export and supply within the EU.
    #[serde(rename = "0")]
    Zero,
    /// Exempt ("zw").
    #[serde(rename = "zw")]
    Exempt,
}

impl VatRate {
    /// Every rate, in the order in which documents list them.
    pub const ALL: [Self; 5] =
        [Self::Basic, Self::Reduced, Self::SuperReduced, Self::Zero, Self::Exempt];

    /// As a fraction of the net amount.
    pub fn fraction(self) -> Decimal {
        match self {
            Self::Basic => Decimal::new(23, 2),
            Self::Reduced => Decimal::new(8, 2),
            Self::SuperReduced => Decimal::new(5, 2),
            Self::Zero | Self::Exempt => Decimal::ZERO,
        }
    }

    /// As documents print it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Basic => "23",
            Self::Reduced => "8",
            Self::SuperReduced => "5",
            Self::Zero => "0",
            Self::Exempt => "zw",
        }
    }
}
