//! `/v1/quotation-requests`: submit, assign, decline and withdraw quotation requests.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::QuotationRequestId;
use service_kit::permissions::{Buyers, Ordering, Pricing, Sales};
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        sales::quotation_request::{self, Ask, AssignTo, Decline, Withdraw},
    },
    http::{Created, Done, Nothing, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/quotation-requests",
            post_with(request, |o| {
                o.id("quotation_request.request").summary("Request a quotation")
            }),
        )
        .api_route(
            "/v1/quotation-requests/{id}/assign",
            post_with(assign, |o| {
                o.id("quotation_request.assign")
                    .summary("Assign a quotation request to a sales employee")
            }),
        )
        .api_route(
            "/v1/quotation-requests/{id}/take",
            post_with(take, |o| {
                o.id("quotation_request.take").summary(
                    "Take a quotation request that is unassigned, or whose assignee is absent",
                )
            }),
        )
        .api_route(
            "/v1/quotation-requests/{id}/decline",
            post_with(decline, |o| {
                o.id("quotation_request.decline").summary("Decline a quotation request")
            }),
        )
        .api_route(
            "/v1/quotation-requests/{id}/withdraw",
            post_with(withdraw, |o| {
                o.id("quotation_request.withdraw").summary("Withdraw a quotation request")
            }),
        )
}

async fn request(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    Body { value, digest }: Body<Ask>,
) -> Result<Created, Problem> {
    let outcome = quotation_request::request(&services, &caller, digest, value).await?;
    Ok(Created::within("/v1/quotation-requests", outcome))
}

async fn assign(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<AssignTo>,
) -> Result<Done, Problem> {
    Ok(quotation_request::assign(&services, &caller, digest, QuotationRequestId(id), value)
        .await?
        .into())
}

async fn take(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(quotation_request::take(&services, &caller, digest, QuotationRequestId(id)).await?.into())
}

async fn decline(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<Decline>,
) -> Result<Done, Problem> {
    Ok(quotation_request::decline(&services, &caller, digest, QuotationRequestId(id), value)
        .await?
        .into())
}

async fn withdraw(
    State(services): State<Services>,
    By { who: caller, .. }: By<Buyers>,
    PathId(id): PathId,
    Body { value, digest }: Body<Withdraw>,
) -> Result<Done, Problem> {
    Ok(quotation_request::withdraw(&services, &caller, digest, QuotationRequestId(id), value)
        .await?
        .into())
}
