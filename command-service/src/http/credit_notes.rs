//! `/v1/credit-notes`: giving back.

use aide::axum::{ApiRouter, routing::post_with};
use axum::{extract::State, http::StatusCode};
use domain::{
    Company, CompanyId, Currency, Invoice, InvoiceId, Note, OfCompany, Series, invoice, series,
};
use event_log::Work;
use futures::FutureExt;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::Body,
    problem::{FieldError, Problem},
};
use uuid::Uuid;

use super::Created;
use crate::{
    Services,
    caller::{Books, By},
    failure::{Failure, problem, refusal},
    lines::{self, LineRequest, Prices, Sale},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new().api_route(
        "/v1/credit-notes",
        post_with(issue, |o| o.id("invoice.issue_credit_note").summary("Issue a credit note")),
    )
}

/// What is given back.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "IssueCreditNote")]
struct Issue {
    company: CompanyId,
    /// The invoice that it corrects: what is open on it is reduced at once.
    #[serde(default)]
    corrects: Option<InvoiceId>,
    currency: Currency,
    /// What is given back, in positive quantities, each at its price.
    lines: Vec<LineRequest>,
    #[serde(default)]
    reason: Option<Note>,
    /// The day, when it is entered later; today when not given.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    issued_on: Option<Date>,
    /// The day of the sale that is corrected, whose rate of tax holds; the day of issue when not
    /// given.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    sold_on: Option<Date>,
}

async fn issue(
    State(services): State<Services>,
    By { who: caller, .. }: By<Books>,
    Body { value, digest }: Body<Issue>,
) -> Result<Created, Problem> {
    let (id, today) = (InvoiceId(Uuid::now_v7()), services.clock.today());
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let value = value.clone();
            async move { give_back(work, id, value, today).await }.boxed()
        })
        .await
        .map_err(problem)?;
    Ok(Created::within("/v1/invoices", done.outcome))
}

/// Takes the number, issues the credit note, and sets it against the invoice that it corrects, in
/// one append.
async fn give_back(
    work: &mut Work,
    id: InvoiceId,
    request: Issue,
    today: Date,
) -> Result<(), Failure> {
    let Issue { company, corrects, currency, lines, reason, issued_on, sold_on } = request;
    work.load::<Company>(company).await?.customer().map_err(|error| refusal(&error))?;
    let on = issued_on.unwrap_or(today);
    let sale = Sale { company, currency, prices: Prices::Given, on: sold_on.unwrap_or(on) };
    let lines = lines::price(work, &lines, sale).await?;
    let kind = series::Kind::CreditNote;
    let number = take_number(work, kind, on, id).await?;
    let credit = invoice::Credit { company, corrects, currency, lines, reason, on };
    work.decide::<Invoice>(id, invoice::Command::IssueCreditNote { number, credit }).await?;
    work.answer(id);
    if let Some(corrected) = corrects {
        apply(work, id, corrected, company).await?;
    }
    Ok(())
}

async fn apply(
    work: &mut Work,
    credit_note: InvoiceId,
    corrected: InvoiceId,
    company: CompanyId,
) -> Result<(), Failure> {
    let of = |invoice: &Invoice| invoice.open().map_err(|error| Failure::from(refusal(&error)));
    let invoice = work.load::<Invoice>(corrected).await?;
    if invoice.company().is_some_and(|of| of != company) {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "credit_note.other_company")
            .field(FieldError::at("/corrects", "is an invoice of another company"))
            .into());
    }
    let open = of(invoice)?.0;
    let credit = work.load::<Invoice>(credit_note).await?;
    let credit = credit.unapplied().map_err(|error| refusal(&error))?.0;
    let amount = open.min(credit).map_err(|error| refusal(&invoice::Error::from(error)))?;
    if amount.is_positive() {
        let command = invoice::Command::GiveCredit { invoice: corrected, amount };
        work.decide::<Invoice>(credit_note, command).await?;
        let command = invoice::Command::ApplyCredit { credit_note, amount };
        work.decide::<Invoice>(corrected, command).await?;
    }
    Ok(())
}

/// Takes the next number of a series for a document.
pub(crate) async fn take_number(
    work: &mut Work,
    kind: series::Kind,
    on: Date,
    document: InvoiceId,
) -> Result<series::Number, Failure> {
    let id = kind.series(on);
    let number = work.load::<Series>(id).await?.next(kind, on).map_err(|error| refusal(&error))?;
    work.decide::<Series>(id, series::Command::Take { kind, on, document }).await?;
    Ok(number)
}
