//! Orders on credit hold: accounting releases or refuses them.

use domain::{Note, OfCompany, Order, OrderId, credit_account::Change, order};
use event_log::Outcome;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;

use super::change;
use crate::{
    app::{Services, deciding, sales::ordering},
    caller::Caller,
    failure::refusal,
};

/// The release of an order from its credit hold.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReleaseCreditHold")]
pub struct Release {
    /// The reason; only the seller sees it.
    pub reason: Note,
}

/// Releases an order from its credit hold, whatever the limit.
pub async fn release(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OrderId,
    Release { reason }: Release,
) -> Result<Outcome, Problem> {
    let reason = &reason;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                caller.must_see(work.load::<Order>(id).await?.company())?;
                work.decide::<Order>(id, order::Command::ReleaseCreditHold).await?;
                let terms = work.load::<Order>(id).await?.terms().map_err(|e| refusal(&e))?;
                let (company, currency) = (terms.company, terms.currency);
                let (by, reason) = (caller.actor(), reason.clone());
                let release = Change::Release { company, order: id, by, reason };
                change(work, (company, currency), release).await?;
                work.answer(id);
                Ok(())
            })
        })
        .await
}

/// The refusal of an order on credit hold.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RefuseCreditHold")]
pub struct Refuse {
    /// The reason; the company sees it as the reason of the cancellation.
    pub reason: Note,
}

/// Cancels an order that is on credit hold.
pub async fn refuse(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OrderId,
    Refuse { reason }: Refuse,
) -> Result<Outcome, Problem> {
    let reason = &reason;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                caller.must_see(work.load::<Order>(id).await?.company())?;
                let reason = reason.clone();
                ordering::decide(work, id, order::Command::RefuseCreditHold { reason }).await
            })
        })
        .await
}
