//! Payments: record and allocate them.

use axum::http::StatusCode;
use domain::{
    Company, CompanyId, Invoice, InvoiceId, Money, Note, OfCompany, Payment, PaymentId, invoice,
    payment, series::Number,
};
use event_log::{Outcome, Work};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use crate::{
    app::{Services, deciding},
    caller::Caller,
    failure::{Failure, given, happened, refusal},
};

/// A received payment.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BookPayment")]
pub struct Book {
    pub company: CompanyId,
    pub amount: Money,
    pub method: payment::Method,
    /// The day of receipt; today when not given.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub booked_on: Option<Date>,
    /// The invoice number that the payer gave.
    #[serde(default)]
    pub names_invoice: Option<Number>,
    /// The payment reference, such as the title of the transfer.
    #[serde(default)]
    pub title: Option<Note>,
}

/// Records a payment. A policy allocates it to open invoices.
pub async fn book(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    request: Book,
) -> Result<Outcome, Problem> {
    let id = PaymentId(Uuid::now_v7());
    let Book { company, amount, method, booked_on, names_invoice, title } = request;
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
    let booking = &booking;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let company = work.load::<Company>(booking.company).await?;
                company.customer().map_err(|error| refusal(&error))?;
                work.decide::<Payment>(id, payment::Command::Book(booking.clone())).await?;
                Ok(())
            })
        })
        .await
}

/// An amount to allocate and the invoice.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AllocatePayment")]
pub struct Allocate {
    pub invoice: InvoiceId,
    pub amount: Money,
}

/// Allocates an amount of a payment to an invoice.
pub async fn allocate(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: PaymentId,
    Allocate { invoice, amount }: Allocate,
) -> Result<Outcome, Problem> {
    let amount = given("/amount", amount)?;
    services.execute(caller, digest, &|work| deciding(set_against(work, id, invoice, amount))).await
}

/// Allocates on the payment and on the invoice, in one append.
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
