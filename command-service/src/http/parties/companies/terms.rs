//! What is agreed with a company on paying: its term and how much it may owe.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{Company, Currency, Money, PaymentTerm, company::Command};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    Services,
    failure::given,
    http::access::{By, Sales, Trust},
    http::{Done, Nothing, decide},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/companies/{id}/payment-term",
            post_with(agree_payment_term, |o| {
                o.id("company.agree_payment_term").summary("Agree on a payment term with a company")
            }),
        )
        .api_route(
            "/v1/companies/{id}/payment-term/inherit",
            post_with(inherit_payment_term, |o| {
                o.id("company.inherit_payment_term")
                    .summary("Inherit the payment term of the parent company")
            }),
        )
        .api_route(
            "/v1/companies/{id}/credit-limit",
            post_with(grant_credit, |o| {
                o.id("company.grant_credit")
                    .summary("Grant a company a credit limit in one currency")
            }),
        )
        .api_route(
            "/v1/companies/{id}/credit-limit/lift",
            post_with(lift_credit_limit, |o| {
                o.id("company.lift_credit_limit")
                    .summary("Lift the credit limit of a company in one currency")
            }),
        )
}

/// Other terms.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AgreePaymentTerm {
    payment_term: PaymentTerm,
}

async fn agree_payment_term(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value: AgreePaymentTerm { payment_term }, digest }: Body<AgreePaymentTerm>,
) -> Result<Done, Problem> {
    let command = Command::AgreePaymentTerm { payment_term };
    decide::<Company>(&services, &caller, id, digest, command).await
}

async fn inherit_payment_term(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    let command = Command::InheritPaymentTerm;
    decide::<Company>(&services, &caller, id, digest, command).await
}

/// How much.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GrantCredit {
    limit: Money,
}

async fn grant_credit(
    State(services): State<Services>,
    By { who: caller, .. }: By<Trust>,
    PathId(id): PathId,
    Body { value: GrantCredit { limit }, digest }: Body<GrantCredit>,
) -> Result<Done, Problem> {
    let command = Command::GrantCredit { limit: given("/limit", limit)? };
    decide::<Company>(&services, &caller, id, digest, command).await
}

/// Which limit.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LiftCreditLimit {
    currency: Currency,
}

async fn lift_credit_limit(
    State(services): State<Services>,
    By { who: caller, .. }: By<Trust>,
    PathId(id): PathId,
    Body { value: LiftCreditLimit { currency }, digest }: Body<LiftCreditLimit>,
) -> Result<Done, Problem> {
    let command = Command::LiftCreditLimit { currency };
    decide::<Company>(&services, &caller, id, digest, command).await
}
