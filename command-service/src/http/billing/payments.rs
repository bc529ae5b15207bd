//! `/v1/payments`: booking money, and setting it against invoices.

use aide::axum::{ApiRouter, routing::post_with};
use axum::{extract::State, http::StatusCode};
use domain::{
    Company, CompanyId, Invoice, InvoiceId, Money, Note, OfCompany, Payment, PaymentId, invoice,
    payment, series::Number,
};
use event_log::Work;
use futures::FutureExt;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{Body, PathId},
    problem::{FieldError, Problem},
};
use uuid::Uuid;

use crate::{
    Services,
    failure::{Failure, given, happened, problem, refusal},
    http::access::{Books, By},
    http::{Created, Done},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/payments",
            post_with(book, |o| {
                o.id("payment.book")
                    .summary("Book a payment; it is allocated to open invoices by itself")
            }),
        )
        .api_route(
            "/v1/payments/{id}/allocate",
            post_with(allocate, |o| {
                o.id("payment.allocate").summary("Allocate an amount of a payment to an invoice")
            }),
        )
}

/// Money that came in.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BookPayment")]
struct Book {
    company: CompanyId,
    amount: Money,
    method: payment::Method,
    /// The day; today when not given.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    booked_on: Option<Date>,
    /// The number of the invoice that the payer named.
    #[serde(default)]
    names_invoice: Option<Number>,
    /// The transfer's title or the like.
    #[serde(default)]
    title: Option<Note>,
}

async fn book(
    State(services): State<Services>,
    By { who: caller, .. }: By<Books>,
    Body { value, digest }: Body<Book>,
) -> Result<Created, Problem> {
    let id = PaymentId(Uuid::now_v7());
    let Book { company, amount, method, booked_on, names_invoice, title } = value;
    let amount = given("/amount", amount)?;
    let today = services.clock.today();
    let booking = payment::Booking {
        company,
        amount,
        method,
        on: happened("/booked_on", booked_on.unwrap_or(today), today)?,
        names: names_invoice,
        title,
    };
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let booking = booking.clone();
            async move {
                let company = work.load::<Company>(booking.company).await?;
                company.customer().map_err(|error| refusal(&error))?;
                work.decide::<Payment>(id, payment::Command::Book(booking)).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(Created::within("/v1/payments", done.outcome))
}

/// How much goes where.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AllocatePayment")]
struct Allocate {
    invoice: InvoiceId,
    amount: Money,
}

async fn allocate(
    State(services): State<Services>,
    By { who: caller, .. }: By<Books>,
    PathId(id): PathId,
    Body { value: Allocate { invoice, amount }, digest }: Body<Allocate>,
) -> Result<Done, Problem> {
    let amount = given("/amount", amount)?;
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            async move { set_against(work, PaymentId(id), invoice, amount).await }.boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

/// The payment gives up what the invoice takes, in one append.
pub(crate) async fn set_against(
    work: &mut Work,
    payment: PaymentId,
    invoice: InvoiceId,
    amount: Money,
) -> Result<(), Failure> {
    let payer = work.load::<Payment>(payment).await?.company();
    let charged = work.load::<Invoice>(invoice).await?.company();
    if payer.is_some() && charged.is_some() && payer != charged {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "payment.other_company")
            .field(FieldError::at("/invoice", "is an invoice of another company"))
            .into());
    }
    work.decide::<Payment>(payment, payment::Command::Allocate { invoice, amount }).await?;
    work.decide::<Invoice>(invoice, invoice::Command::AllocatePayment { payment, amount }).await?;
    Ok(())
}
