//! Payment term and credit limits of a company.

use domain::{Company, CompanyId, Currency, Money, PaymentTerm, company::Command};
use event_log::Outcome;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;

use crate::{app::Services, caller::Caller, failure::given};

/// A payment term.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgreePaymentTerm {
    pub payment_term: PaymentTerm,
}

/// Agrees on a payment term with a company.
pub async fn agree_payment_term(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    AgreePaymentTerm { payment_term }: AgreePaymentTerm,
) -> Result<Outcome, Problem> {
    let command = Command::AgreePaymentTerm { payment_term };
    services.decide::<Company>(caller, digest, id, command).await
}

/// Inherits the payment term of the parent company.
pub async fn inherit_payment_term(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
) -> Result<Outcome, Problem> {
    let command = Command::InheritPaymentTerm;
    services.decide::<Company>(caller, digest, id, command).await
}

/// A credit limit.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantCredit {
    pub limit: Money,
}

/// Grants a company a credit limit in one currency.
pub async fn grant_credit(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    GrantCredit { limit }: GrantCredit,
) -> Result<Outcome, Problem> {
    let command = Command::GrantCredit { limit: given("/limit", limit)? };
    services.decide::<Company>(caller, digest, id, command).await
}

/// The currency of the limit.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftCreditLimit {
    pub currency: Currency,
}

/// Lifts the credit limit of a company in one currency.
pub async fn lift_credit_limit(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    LiftCreditLimit { currency }: LiftCreditLimit,
) -> Result<Outcome, Problem> {
    let command = Command::LiftCreditLimit { currency };
    services.decide::<Company>(caller, digest, id, command).await
}
