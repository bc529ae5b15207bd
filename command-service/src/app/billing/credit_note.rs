//! Credit notes: amounts given back to a company.

mod of_invoice;

use axum::http::StatusCode;
use domain::{
    Company, CompanyId, Currency, Invoice, InvoiceId, Lines, Money, Note, Quantity, Reference, Sku,
    UnitPrice, invoice, product::PackagingName, series,
};
use event_log::{Outcome, Work};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

pub(crate) use self::of_invoice::Earlier;
use crate::{
    app::{
        Services,
        billing::invoice::take_number,
        deciding,
        pricing::pricing_context::{Prices, Sale},
        sales::lines::{self, LineRequest},
    },
    caller::Caller,
    failure::{Failure, happened, refusal},
};

/// A credit note to issue.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "IssueCreditNote")]
pub struct Issue {
    pub company: CompanyId,
    /// The invoice that it corrects. At most the invoiced quantities that are not credited yet can
    /// be credited, at the invoice's prices and VAT rates. The open amount of the invoice is
    /// reduced at once.
    #[serde(default)]
    pub corrects: Option<InvoiceId>,
    /// The currency; that of the invoice if one is named.
    pub currency: Currency,
    /// The credited lines, in positive quantities.
    pub lines: Vec<CreditLine>,
    #[serde(default)]
    pub reason: Option<Note>,
    /// The day of the credit note, when entered later; today when not given. Not before the
    /// invoice.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub issued_on: Option<Date>,
    /// The day of the corrected sale, which determines the VAT rate. With an invoice it is the day
    /// of the invoice; without one, the day of issue when not given.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub sold_on: Option<Date>,
}

/// A credited quantity of a product, or of a line of the invoice.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditLine {
    /// The number of the line on the invoice that `corrects` names, counted from 1; instead of
    /// `sku` and `code`.
    pub line: Option<u32>,
    /// The seller's SKU.
    pub sku: Option<Sku>,
    /// The product code of the company, or of a company above it; instead of `sku`.
    pub code: Option<Reference>,
    /// The quantity, in units of the product or of `packaging`.
    pub quantity: Quantity,
    /// The packaging in which the quantity is given, such as `carton`.
    pub packaging: Option<PackagingName>,
    /// Net price of one unit. Required without an invoice; optional with one, where the invoice's
    /// price applies.
    pub unit_price: Option<UnitPrice>,
    /// By how much the net price of one unit is lowered; the goods stay sold, at the lower price. Only
    /// with an invoice.
    pub price_reduction: Option<UnitPrice>,
}

/// Issues a credit note.
pub async fn issue(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    request: Issue,
) -> Result<Outcome, Problem> {
    let (id, today) = (InvoiceId(Uuid::now_v7()), services.clock.today());
    for (pointer, day) in [("/issued_on", request.issued_on), ("/sold_on", request.sold_on)] {
        if let Some(day) = day {
            happened(pointer, day, today)?;
        }
    }
    let earlier = match request.corrects {
        Some(invoice) => Earlier::of(services, invoice).await?,
        None => Earlier::default(),
    };
    let request = &request;
    let earlier = &earlier;
    services
        .execute(caller, digest, &|work| {
            deciding(give_back(work, id, request.clone(), earlier, today))
        })
        .await
}

/// Takes the number, issues the credit note, and allocates it to the invoice that it corrects, in
/// one append.
pub(crate) async fn give_back(
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

/// Without an invoice, the request gives the lines and their prices.
async fn at_given_prices(work: &mut Work, request: &Issue, on: Date) -> Result<Lines, Failure> {
    let Issue { company, currency, sold_on, .. } = *request;
    if let Some(index) = request.lines.iter().position(|line| line.line.is_some()) {
        let detail = "a line number is allowed only together with `corrects`";
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "credit_note.line_without_invoice",
        )
        .field(FieldError::at(format!("/lines/{index}/line"), detail))
        .into());
    }
    if let Some(index) = request.lines.iter().position(|line| line.price_reduction.is_some()) {
        let detail = "only a credit note that names its invoice lowers a price of it";
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "credit_note.reduction_without_invoice",
        )
        .field(FieldError::at(format!("/lines/{index}/price_reduction"), detail))
        .into());
    }
    let lines: Vec<LineRequest> = request.lines.iter().cloned().map(LineRequest::from).collect();
    let on = sold_on.unwrap_or(on);
    let sale = Sale { company, currency, prices: Prices::Given, on };
    lines::price(work, &lines, sale).await
}

impl From<CreditLine> for LineRequest {
    fn from(line: CreditLine) -> Self {
        let CreditLine { line: _, sku, code, quantity, packaging, unit_price, price_reduction: _ } =
            line;
        Self { sku, code, quantity, packaging, unit_price }
    }
}

impl From<&invoice::Item> for CreditLine {
    fn from(item: &invoice::Item) -> Self {
        let invoice::Item { line, quantity, price_reduction } = *item;
        let (sku, code, packaging, unit_price) = Default::default();
        Self { line: Some(line), sku, code, quantity, packaging, unit_price, price_reduction }
    }
}

/// Allocates the rest of the credit note to the open amount of the invoice that it corrects.
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

/// Allocates on the credit note and on the invoice, in one append.
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
