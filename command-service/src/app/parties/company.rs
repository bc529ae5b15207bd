//! Companies: registration, names, and the agreements in the submodules.

pub mod places;
pub mod standing;
pub mod terms;
pub mod tree;

use domain::{Company, CompanyId, PaymentTerm, company};
use event_log::Outcome;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;
use uuid::Uuid;

use crate::{
    app::{Services, deciding, parties::company_hierarchy},
    caller::Caller,
};

/// A company to register.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RegisterCompany")]
pub struct Register {
    pub name: domain::Name,
    pub tax_id: domain::TaxId,
    #[serde(default)]
    pub reference: Option<domain::Reference>,
    pub payment_term: PaymentTerm,
}

/// Registers a company.
pub async fn register(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    request: Register,
) -> Result<Outcome, Problem> {
    let id = CompanyId(Uuid::now_v7());
    let Register { name, tax_id, reference, payment_term } = request;
    let profile = company::Profile { name, tax_id, reference };
    let profile = &profile;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                company_hierarchy::register(work, id, profile.clone(), payment_term).await?;
                work.answer(id);
                Ok(())
            })
        })
        .await
}

/// The new name.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RenameCompany")]
pub struct Rename {
    pub name: domain::Name,
}

/// Renames a company.
pub async fn rename(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    Rename { name }: Rename,
) -> Result<Outcome, Problem> {
    services.decide::<Company>(caller, digest, id, company::Command::Rename { name }).await
}
