//! Lots: goods that were made together and are best before one day.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::level::Balance;
use crate::kernel::{Quantity, Reference, WarehouseId};

/// A lot of goods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lot {
    /// The code that its maker gave it.
    pub code: Reference,
    /// The last day on which the goods are at their best.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub best_before: Option<Date>,
}

/// A quantity of one lot, or of goods without a lot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LotQuantity {
    /// The lot; missing for goods without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<Lot>,
    /// How much of it.
    pub quantity: Quantity,
}

/// A change of the balance of one lot, or of goods without a lot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LotChange {
    /// The lot; missing for goods without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<Lot>,
    /// By how much; less than zero for goods that are gone.
    pub change: Balance,
}

/// A quantity of one lot that left one warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// From which warehouse.
    pub warehouse: WarehouseId,
    /// The lot; missing for goods without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<Lot>,
    /// How much of it.
    pub quantity: Quantity,
}
