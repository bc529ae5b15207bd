//! Payment term, grace period, prepayment and least order value of a company. Its credit limits are in
//! `sales`, beside the accounts that they limit.

use domain::{
    Company, CompanyId, Currency, Money, PaymentTerm,
    company::{Command, GraceDays},
};
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

/// A grace period.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgreeCreditGrace {
    /// For how many days after its due date an invoice holds up no order.
    pub days: GraceDays,
}

/// Agrees for how many days an overdue invoice holds up no order of a company.
pub async fn agree_credit_grace(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    AgreeCreditGrace { days }: AgreeCreditGrace,
) -> Result<Outcome, Problem> {
    let command = Command::AgreeCreditGrace { days };
    services.decide::<Company>(caller, digest, id, command).await
}

/// Removes the grace period of a company.
pub async fn lift_credit_grace(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
) -> Result<Outcome, Problem> {
    services.decide::<Company>(caller, digest, id, Command::LiftCreditGrace).await
}

/// Lets goods of a company leave only after they are paid.
pub async fn require_prepayment(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
) -> Result<Outcome, Problem> {
    services.decide::<Company>(caller, digest, id, Command::RequirePrepayment).await
}

/// Lets goods of a company leave before they are paid.
pub async fn waive_prepayment(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
) -> Result<Outcome, Problem> {
    services.decide::<Company>(caller, digest, id, Command::WaivePrepayment).await
}

/// A least order value.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgreeMinimumOrder {
    /// The least net value of an order.
    pub minimum: Money,
}

/// Agrees on the least net value of the orders of a company in one currency.
pub async fn agree_minimum_order(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    AgreeMinimumOrder { minimum }: AgreeMinimumOrder,
) -> Result<Outcome, Problem> {
    let command = Command::AgreeMinimumOrder { minimum: given("/minimum", minimum)? };
    services.decide::<Company>(caller, digest, id, command).await
}

/// The currency of the value.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftMinimumOrder {
    /// The currency.
    pub currency: Currency,
}

/// Removes the least value of the orders of a company in one currency.
pub async fn lift_minimum_order(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    LiftMinimumOrder { currency }: LiftMinimumOrder,
) -> Result<Outcome, Problem> {
    let command = Command::LiftMinimumOrder { currency };
    services.decide::<Company>(caller, digest, id, command).await
}
