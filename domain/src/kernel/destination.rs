//! Where goods go, and who in the company pays for them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{AddressId, CostCentre};

/// Where goods go, and who in the company pays for them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OrderDestination")]
pub struct Destination {
    /// One of the delivery addresses of the company or of a firm above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<AddressId>,
    /// By the company's own name of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<CostCentre>,
}

impl Destination {
    /// Whether nothing was said.
    pub fn is_unsaid(&self) -> bool {
        *self == Self::default()
    }
}
