//! What becomes of a shipment after its dispatch: delivered, failed to be, returned to sender.

use domain::{
    Attachment, Name, Note, Shipment, ShipmentId,
    shipment::{Command, Failure as DeliveryFailure, FailureReason, Proof, Return},
};
use event_log::Outcome;
use jiff::{Timestamp, tz::TimeZone};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;

use crate::{app::Services, caller::Caller, failure::happened};

/// The proof of a delivery.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DeliverShipment")]
pub struct Deliver {
    /// Who took the goods.
    pub received_by: Name,
    /// When; now when not given.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub at: Option<Timestamp>,
    /// The signed document, by reference.
    #[serde(default)]
    pub document: Option<Attachment>,
}

/// Records a delivery with its proof.
pub async fn deliver(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ShipmentId,
    Deliver { received_by, at, document }: Deliver,
) -> Result<Outcome, Problem> {
    let at = time(services, at)?;
    let command = Command::Deliver(Proof { received_by, at, document });
    services.decide::<Shipment>(caller, digest, id, command).await
}

/// A delivery that failed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FailDelivery")]
pub struct FailDelivery {
    pub reason: FailureReason,
    /// When; now when not given.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub at: Option<Timestamp>,
    /// What the driver or the carrier says about it; the company sees it.
    #[serde(default)]
    pub note: Option<Note>,
}

/// Records that a delivery failed; it may be tried again.
pub async fn fail(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ShipmentId,
    FailDelivery { reason, at, note }: FailDelivery,
) -> Result<Outcome, Problem> {
    let at = time(services, at)?;
    let command = Command::FailDelivery(DeliveryFailure { reason, at, note });
    services.decide::<Shipment>(caller, digest, id, command).await
}

/// A shipment that came back.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReturnShipment")]
pub struct ReturnToSender {
    /// When; now when not given.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub at: Option<Timestamp>,
    /// Why; the company sees it.
    #[serde(default)]
    pub note: Option<Note>,
}

/// Records that a shipment came back undelivered.
pub async fn return_to_sender(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ShipmentId,
    ReturnToSender { at, note }: ReturnToSender,
) -> Result<Outcome, Problem> {
    let at = time(services, at)?;
    let command = Command::ReturnToSender(Return { at, note });
    services.decide::<Shipment>(caller, digest, id, command).await
}

/// When it happened: refused when it is still to come.
fn time(services: &Services, at: Option<Timestamp>) -> Result<Timestamp, Problem> {
    let Some(at) = at else { return Ok(services.clock.now()) };
    happened("/at", at.to_zoned(TimeZone::UTC).date(), services.clock.today())?;
    Ok(at)
}
