//! What is agreed with a company on ordering and paying: terms, limits, the least value of an order.

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
        parties::company::terms::{
            self, AgreeCreditGrace, AgreeMinimumOrder, AgreePaymentTerm, LiftMinimumOrder,
        },
        sales::credit_account::holders::{self, GrantCredit, LiftCreditLimit},
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
        .api_route(
            "/v1/companies/{id}/credit-grace",
            post_with(agree_credit_grace, |o| {
                o.id("company.agree_credit_grace")
                    .summary("Agree for how many days an overdue invoice holds up no order")
            }),
        )
        .api_route(
            "/v1/companies/{id}/credit-grace/lift",
            post_with(lift_credit_grace, |o| {
                o.id("company.lift_credit_grace").summary("Remove the grace period of a company")
            }),
        )
        .api_route(
            "/v1/companies/{id}/prepayment",
            post_with(require_prepayment, |o| {
                o.id("company.require_prepayment")
                    .summary("Let goods of a company leave only after they are paid")
            }),
        )
        .api_route(
            "/v1/companies/{id}/prepayment/waive",
            post_with(waive_prepayment, |o| {
                o.id("company.waive_prepayment")
                    .summary("Let goods of a company leave before they are paid")
            }),
        )
        .api_route(
            "/v1/companies/{id}/minimum-order",
            post_with(agree_minimum_order, |o| {
                o.id("company.agree_minimum_order")
                    .summary("Agree on the least net value of an order in one currency")
            }),
        )
        .api_route(
            "/v1/companies/{id}/minimum-order/lift",
            post_with(lift_minimum_order, |o| {
                o.id("company.lift_minimum_order")
                    .summary("Remove the least value of an order in one currency")
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
    Ok(holders::grant_credit(&services, &caller, digest, CompanyId(id), value).await?.into())
}

async fn lift_credit_limit(
    State(services): State<Services>,
    By { who: caller, .. }: By<CreditTerms>,
    PathId(id): PathId,
    Body { value, digest }: Body<LiftCreditLimit>,
) -> Result<Done, Problem> {
    Ok(holders::lift_credit_limit(&services, &caller, digest, CompanyId(id), value).await?.into())
}

async fn agree_credit_grace(
    State(services): State<Services>,
    By { who: caller, .. }: By<CreditTerms>,
    PathId(id): PathId,
    Body { value, digest }: Body<AgreeCreditGrace>,
) -> Result<Done, Problem> {
    Ok(terms::agree_credit_grace(&services, &caller, digest, CompanyId(id), value).await?.into())
}

async fn lift_credit_grace(
    State(services): State<Services>,
    By { who: caller, .. }: By<CreditTerms>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(terms::lift_credit_grace(&services, &caller, digest, CompanyId(id)).await?.into())
}

async fn require_prepayment(
    State(services): State<Services>,
    By { who: caller, .. }: By<CreditTerms>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(terms::require_prepayment(&services, &caller, digest, CompanyId(id)).await?.into())
}

async fn waive_prepayment(
    State(services): State<Services>,
    By { who: caller, .. }: By<CreditTerms>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(terms::waive_prepayment(&services, &caller, digest, CompanyId(id)).await?.into())
}

async fn agree_minimum_order(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<AgreeMinimumOrder>,
) -> Result<Done, Problem> {
    Ok(terms::agree_minimum_order(&services, &caller, digest, CompanyId(id), value).await?.into())
}

async fn lift_minimum_order(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<LiftMinimumOrder>,
) -> Result<Done, Problem> {
    Ok(terms::lift_minimum_order(&services, &caller, digest, CompanyId(id), value).await?.into())
}
