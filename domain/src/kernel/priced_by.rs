//! What made a price, as documents and explanations say it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{AgreementId, Percent, Quantity, Selection, UnitPrice};

/// What made a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PricedBy {
    /// The seller and the company agreed on it for this document.
    Agreed {},
    /// The product's base price.
    Base {
        /// What the company had earned by its purchases came off it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        earned: Option<Percent>,
        /// It was raised to this floor; an explanation says so, documents do not any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        floor: Option<UnitPrice>,
    },
    /// A rule.
    Rule {
        /// Of which agreement.
        agreement: AgreementId,
        /// Of what.
        selection: Selection,
        /// The quantity break that was reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_least: Option<Quantity>,
        /// What the company had earned by its purchases came off it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        earned: Option<Percent>,
        /// It was raised to this floor.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        floor: Option<UnitPrice>,
    },
}

impl PricedBy {
    /// As documents say it, which buyers read: how low a price may go is the seller's own affair.
    #[must_use]
    pub fn without_floor(mut self) -> Self {
        match &mut self {
            Self::Agreed {} => {}
            Self::Base { floor, .. } | Self::Rule { floor, .. } => *floor = None,
        }
        self
    }
}
