//! Who carries goods how far, and who answers for them on the way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::Name;

/// A rule of Incoterms 2020 (International Chamber of Commerce, publication 723), with the place
/// that it names: `DAP Gdańsk`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryTerms {
    /// The rule.
    pub incoterm: Incoterm,
    /// The named place or port.
    pub place: Name,
}

/// The rules, in the order in which the seller's part grows.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Incoterm {
    /// Ex works.
    Exw,
    /// Free carrier.
    Fca,
    /// Free alongside ship.
    Fas,
    /// Free on board.
    Fob,
    /// Cost and freight.
    Cfr,
    /// Cost, insurance and freight.
    Cif,
    /// Carriage paid to.
    Cpt,
    /// Carriage and insurance paid to.
    Cip,
    /// Delivered at place.
    Dap,
    /// Delivered at place unloaded.
    Dpu,
    /// Delivered duty paid.
    Ddp,
}

impl Incoterm {
    /// Every rule.
    pub const ALL: [Self; 11] = [
        Self::Exw,
        Self::Fca,
        Self::Fas,
        Self::Fob,
        Self::Cfr,
        Self::Cif,
        Self::Cpt,
        Self::Cip,
        Self::Dap,
        Self::Dpu,
        Self::Ddp,
    ];

    /// Its three letters.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Exw => "EXW",
            Self::Fca => "FCA",
            Self::Fas => "FAS",
            Self::Fob => "FOB",
            Self::Cfr => "CFR",
            Self::Cif => "CIF",
            Self::Cpt => "CPT",
            Self::Cip => "CIP",
            Self::Dap => "DAP",
            Self::Dpu => "DPU",
            Self::Ddp => "DDP",
        }
    }
}

impl std::fmt::Display for DeliveryTerms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.incoterm.code(), self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_spelled_by_their_letters() {
        for incoterm in Incoterm::ALL {
            assert_eq!(serde_json::to_value(incoterm).unwrap(), incoterm.code());
        }
        let json = r#"{"incoterm":"DAP","place":"Gdańsk"}"#;
        let terms: DeliveryTerms = serde_json::from_str(json).unwrap();
        assert_eq!(terms.to_string(), "DAP Gdańsk");
        assert!(
            serde_json::from_str::<DeliveryTerms>(r#"{"incoterm":"DAT","place":"X"}"#).is_err()
        );
    }
}
