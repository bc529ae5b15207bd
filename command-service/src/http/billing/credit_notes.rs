//! `/v1/credit-notes`: giving back.

mod of_invoice;

use aide::axum::{ApiRouter, routing::post_with};
use axum::{extract::State, http::StatusCode};
use domain::{
    Company, CompanyId, Currency, Invoice, InvoiceId, Lines, Money, Note, Quantity, Reference,
    Series, Sku, UnitPrice, invoice, product::PackagingName, series,
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

use self::of_invoice::Earlier;
use crate::{
    Services,
    app::sales::lines::{self, LineRequest, Prices, Sale},
    failure::{Failure, happened, problem, refusal},
    http::Created,
    http::access::{Books, By},
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
    /// The invoice that it corrects: it gives back no more than was sold there and not yet given
    /// back, at the invoice's prices and rates of tax. What is open on it is reduced at once.
    #[serde(default)]
    corrects: Option<InvoiceId>,
    /// That of the invoice, where one is named.
    currency: Currency,
    /// What is given back, in positive quantities.
    lines: Vec<CreditLine>,
    #[serde(default)]
    reason: Option<Note>,
    /// The day, when it is entered later; today when not given. Not before the invoice.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    issued_on: Option<Date>,
    /// The day of the sale that is corrected, whose rate of tax holds. With an invoice it is the
    /// day of the invoice; without one, the day of issue when not given.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    sold_on: Option<Date>,
}

/// So much of a product, or of a line of the invoice.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreditLine {
    /// The number of the line on the invoice that `corrects` names, counted from 1; instead of
    /// `sku` and `code`.
    line: Option<u32>,
    /// The seller's code of it.
    sku: Option<Sku>,
    /// What the company, or a firm above it, calls it; instead of `sku`.
    code: Option<Reference>,
    /// How much of it: in its units, or in those of `packaging`.
    quantity: Quantity,
    /// In what it is counted, such as `carton`.
    packaging: Option<PackagingName>,
    /// Net price of one unit. Needed without an invoice; with one, it is that of the invoice, and
    /// may be left out.
    unit_price: Option<UnitPrice>,
}

async fn issue(
    State(services): State<Services>,
    By { who: caller, .. }: By<Books>,
    Body { value, digest }: Body<Issue>,
) -> Result<Created, Problem> {
    let (id, today) = (InvoiceId(Uuid::now_v7()), services.clock.today());
    for (pointer, day) in [("/issued_on", value.issued_on), ("/sold_on", value.sold_on)] {
        if let Some(day) = day {
            happened(pointer, day, today)?;
        }
    }
    let earlier = match value.corrects {
        Some(invoice) => Earlier::of(&services, invoice).await?,
        None => Earlier::default(),
    };
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let (value, earlier) = (value.clone(), earlier.clone());
            async move { give_back(work, id, value, &earlier, today).await }.boxed()
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
    earlier: &Earlier,
    today: Date,
) -> Result<(), Failure> {
    let company = request.company;
    work.load::<Company>(company).await?.customer().map_err(|error| refusal(&error))?;
    let on = request.issued_on.unwrap_or(today);
    let (lines, totals) = match request.corrects {
        None => (at_given_prices(work, &request, on).await?, None),
        Some(corrected) => {
            let (lines, totals) =
                of_invoice::correct(work, (id, corrected), &request, earlier, on).await?;
            (lines, Some(totals))
        }
    };
    let kind = series::Kind::CreditNote;
    let number = take_number(work, kind, on, id).await?;
    let Issue { corrects, currency, reason, .. } = request;
    let credit = invoice::Credit { company, corrects, currency, lines, totals, reason, on };
    work.decide::<Invoice>(id, invoice::Command::IssueCreditNote { number, credit }).await?;
    work.answer(id);
    if let Some(corrected) = corrects {
        apply(work, id, corrected).await?;
    }
    Ok(())
}

/// Without an invoice, the request says what is given back and at which prices.
async fn at_given_prices(work: &mut Work, request: &Issue, on: Date) -> Result<Lines, Failure> {
    let Issue { company, currency, sold_on, .. } = *request;
    if let Some(index) = request.lines.iter().position(|line| line.line.is_some()) {
        let detail = "only a credit note that names its invoice names a line of it";
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "credit_note.line_without_invoice",
        )
        .field(FieldError::at(format!("/lines/{index}/line"), detail))
        .into());
    }
    let lines: Vec<LineRequest> = request.lines.iter().cloned().map(LineRequest::from).collect();
    let on = sold_on.unwrap_or(on);
    let sale = Sale { company, currency, prices: Prices::Given, on };
    lines::price(work, &lines, sale).await
}

impl From<CreditLine> for LineRequest {
    fn from(line: CreditLine) -> Self {
        let CreditLine { line: _, sku, code, quantity, packaging, unit_price } = line;
        Self { sku, code, quantity, packaging, unit_price }
    }
}

/// Sets what a credit note can still give against what is open on the invoice that it corrects.
async fn apply(
    work: &mut Work,
    credit_note: InvoiceId,
    corrected: InvoiceId,
) -> Result<(), Failure> {
    let invoice = work.load::<Invoice>(corrected).await?;
    let open = invoice.open().map_err(|error| refusal(&error))?.0;
    let credit = work.load::<Invoice>(credit_note).await?;
    let credit = credit.unapplied().map_err(|error| refusal(&error))?.0;
    let amount = open.min(credit).map_err(|error| refusal(&invoice::Error::from(error)))?;
    if amount.is_positive() {
        set_credit_against(work, credit_note, corrected, amount).await?;
    }
    Ok(())
}

/// The credit note gives up what the invoice takes, in one append.
pub(crate) async fn set_credit_against(
    work: &mut Work,
    credit_note: InvoiceId,
    invoice: InvoiceId,
    amount: Money,
) -> Result<(), Failure> {
    let command = invoice::Command::GiveCredit { invoice, amount };
    work.decide::<Invoice>(credit_note, command).await?;
    let command = invoice::Command::ApplyCredit { credit_note, amount };
    work.decide::<Invoice>(invoice, command).await?;
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
