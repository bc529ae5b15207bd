//! `/v1/payments`: book and allocate payments.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::PaymentId;
use service_kit::permissions::Bookkeeping;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        billing::payment::{self, Allocate, Book},
    },
    http::{Created, Done, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/payments",
            post_with(book, |o| {
                o.id("payment.book")
                    .summary("Book a payment; it is allocated to open invoices automatically")
            }),
        )
        .api_route(
            "/v1/payments/{id}/allocate",
            post_with(allocate, |o| {
                o.id("payment.allocate").summary("Allocate an amount of a payment to an invoice")
            }),
        )
}

async fn book(
    State(services): State<Services>,
    By { who: caller, .. }: By<Bookkeeping>,
    Body { value, digest }: Body<Book>,
) -> Result<Created, Problem> {
    let outcome = payment::book(&services, &caller, digest, value).await?;
    Ok(Created::within("/v1/payments", outcome))
}

async fn allocate(
    State(services): State<Services>,
    By { who: caller, .. }: By<Bookkeeping>,
    PathId(id): PathId,
    Body { value, digest }: Body<Allocate>,
) -> Result<Done, Problem> {
    Ok(payment::allocate(&services, &caller, digest, PaymentId(id), value).await?.into())
}
