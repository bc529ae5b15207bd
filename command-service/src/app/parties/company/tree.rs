//! To which group a company belongs, whose prices it shares. The company above it decides which credit
//! account it uses, so that is beside the accounts.

use domain::{Company, CompanyId, GroupCode, company::Command};
use event_log::Outcome;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;

use crate::{app::Services, caller::Caller};

/// The group; `null` removes the company from its group.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinGroup {
    pub group: Option<GroupCode>,
}

/// Assigns a company to a group, or to none.
pub async fn join_group(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    JoinGroup { group }: JoinGroup,
) -> Result<Outcome, Problem> {
    let command = Command::JoinGroup { group };
    services.decide::<Company>(caller, digest, id, command).await
}
