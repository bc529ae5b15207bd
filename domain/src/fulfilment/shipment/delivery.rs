//! What became of a shipment at its destination.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{Attachment, Name, Note};

/// The proof of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DeliveryProof")]
pub struct Proof {
    /// Who took the goods.
    pub received_by: Name,
    /// When.
    pub at: Timestamp,
    /// The signed document, by reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Attachment>,
}

/// A delivery that was tried and failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DeliveryFailure")]
pub struct Failure {
    /// Why.
    pub reason: FailureReason,
    /// When.
    pub at: Timestamp,
    /// What the driver or the carrier says about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// Why a delivery failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "DeliveryFailureReason")]
pub enum FailureReason {
    /// Nobody was there.
    Absent,
    /// The address is wrong or incomplete.
    WrongAddress,
    /// The recipient refused the goods.
    Refused,
    /// The goods are damaged.
    Damaged,
    /// The goods cannot be found.
    Lost,
    /// Another reason; the note says which.
    Other,
}

/// A shipment that came back undelivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReturnToSender")]
pub struct Return {
    /// When it came back.
    pub at: Timestamp,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}
