//! Status of a company: verified, suspended, reinstated.

use domain::{Company, CompanyId, Note, company::Command};
use event_log::Outcome;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;

use crate::{app::Services, caller::Caller};

/// Verifies a company.
pub async fn verify(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
) -> Result<Outcome, Problem> {
    let command = Command::Verify { by: caller.actor(), on: services.clock.today() };
    services.decide::<Company>(caller, digest, id, command).await
}

/// The reason.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SuspendCompany")]
pub struct Suspend {
    pub reason: Note,
}

/// Suspends a company.
pub async fn suspend(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    Suspend { reason }: Suspend,
) -> Result<Outcome, Problem> {
    let command = Command::Suspend { reason };
    services.decide::<Company>(caller, digest, id, command).await
}

/// Reinstates a suspended company.
pub async fn reinstate(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
) -> Result<Outcome, Problem> {
    let command = Command::Reinstate;
    services.decide::<Company>(caller, digest, id, command).await
}
