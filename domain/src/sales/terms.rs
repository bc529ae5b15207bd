//! What offers, negotiations and orders agree on beside their lines.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{DeliveryTerms, PaymentTerm};

/// What holds for all lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NegotiationConditions")]
pub struct Conditions {
    /// When the invoice will be due.
    pub payment_term: PaymentTerm,
    /// How the goods travel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_terms: Option<DeliveryTerms>,
}
