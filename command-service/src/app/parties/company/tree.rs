//! The group and the parent of a company.

use domain::{Company, CompanyId, GroupCode, company::Command};
use event_log::Outcome;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;

use crate::{
    app::{Services, deciding, parties::trees},
    caller::Caller,
};

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

/// The parent company; `null` removes the company from its parent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinParent {
    pub parent: Option<CompanyId>,
}

/// Sets the parent of a company, or none.
pub async fn join_parent(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    JoinParent { parent }: JoinParent,
) -> Result<Outcome, Problem> {
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                work.lend(services.views.clone());
                trees::join(work, id, parent).await?;
                Ok(())
            })
        })
        .await
}
