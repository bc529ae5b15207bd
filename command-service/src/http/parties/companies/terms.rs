//! Payment term and credit limits of a company.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::CompanyId;
use service_kit::permissions::{CreditTerms, Sales};
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        parties::company::terms::{self, AgreePaymentTerm, GrantCredit, LiftCreditLimit},
    },
    http::{Done, Nothing, access::By},
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

async fn agree_payment_term(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<AgreePaymentTerm>,
) -> Result<Done, Problem> {
    Ok(terms::agree_payment_term(&services, &caller, digest, CompanyId(id), value).await?.into())
}

async fn inherit_payment_term(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(terms::inherit_payment_term(&services, &caller, digest, CompanyId(id)).await?.into())
}

async fn grant_credit(
    State(services): State<Services>,
    By { who: caller, .. }: By<CreditTerms>,
    PathId(id): PathId,
    Body { value, digest }: Body<GrantCredit>,
) -> Result<Done, Problem> {
    Ok(terms::grant_credit(&services, &caller, digest, CompanyId(id), value).await?.into())
}

async fn lift_credit_limit(
    State(services): State<Services>,
    By { who: caller, .. }: By<CreditTerms>,
    PathId(id): PathId,
    Body { value, digest }: Body<LiftCreditLimit>,
) -> Result<Done, Problem> {
    Ok(terms::lift_credit_limit(&services, &caller, digest, CompanyId(id), value).await?.into())
}
