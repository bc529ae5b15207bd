//! A credit note of an invoice: finds the credited lines and checks that no more is credited than
//! was invoiced.

use axum::http::StatusCode;
use domain::{
    Invoice, InvoiceId, Line, Lines, OfCompany, Product, ProductId, Quantity,
    invoice::{self, Charged, Correction, Item},
    vat::Totals,
};
use event_log::{Work, WorkError};
use jiff::civil::Date;
use projections::{
    ReadError,
    views::billing::invoices::{self, Correcting},
};
use service_kit::problem::{FieldError, Problem};

use super::{CreditLine, Issue};
use crate::{
    app::{
        Services,
        sales::lines::{self, Naming},
    },
    failure::{Failure, refusal, refusal_at},
};

/// The credit notes of an invoice in the read model. Credit notes of older builds are not recorded
/// in the invoice's stream, so they are recorded there before the next one. Credit notes never
/// change, so the append need not assert them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Earlier(Vec<Correcting>);

impl Earlier {
    pub(crate) async fn of(services: &Services, invoice: InvoiceId) -> Result<Self, Problem> {
        let head = services.log.head().await.map_err(Failure::from)?;
        let read = async {
            services.views.wait(&[invoices::PROJECTION.name], head).await?;
            let client = services.views.client().await?;
            invoices::correcting(&client, invoice).await
        };
        let unavailable = |_: ReadError| Problem::unavailable("the read models are unavailable");
        read.await.map(Self).map_err(unavailable)
    }
}

/// Records the credited quantities on the invoice; returns the lines and the totals of the credit
/// note.
pub(super) async fn correct(
    work: &mut Work,
    (credit_note, corrected): (InvoiceId, InvoiceId),
    request: &Issue,
    earlier: &Earlier,
    on: Date,
) -> Result<(Lines, Totals), Failure> {
    let invoice = work.load::<Invoice>(corrected).await?;
    if invoice.company().is_some_and(|of| of != request.company) {
        return Err(invalid(
            "credit_note.other_company",
            "/corrects",
            "is an invoice of another company",
        ));
    }
    for note in earlier.0.iter().cloned() {
        let Correcting { id: credit_note, lines, totals } = note;
        let command = invoice::Command::CountCreditNote { credit_note, lines, totals };
        work.decide::<Invoice>(corrected, command).await?;
    }
    let charged = work.load::<Invoice>(corrected).await?.charged();
    let charged = charged.map_err(|error| refusal(&error))?.clone();
    let currency = charged.currency();
    if request.currency != currency {
        let detail = format!("the currency of the invoice is {currency}");
        return Err(invalid("credit_note.other_currency", "/currency", detail));
    }
    if request.sold_on.is_some_and(|sold_on| sold_on != charged.on) {
        let detail = format!("the day of the invoice is {}", charged.on);
        return Err(invalid("credit_note.other_sale_date", "/sold_on", detail));
    }
    let items = items(work, request, &charged).await?;
    let broken = |error| refusal_at(WorkError::Refused(error), pointer);
    let Correction { items: corrected_items, totals } =
        charged.correction(&items, on).map_err(broken)?;
    let lines = lines::document(charged.lines_of(&corrected_items))?;
    let command = invoice::Command::Correct { credit_note, items, on };
    work.decide::<Invoice>(corrected, command).await?;
    Ok((lines, totals))
}

fn invalid(code: &'static str, pointer: &str, detail: impl Into<String>) -> Failure {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code)
        .field(FieldError::at(pointer, detail))
        .into()
}

/// The request field to which an error of the invoice belongs.
fn pointer(error: &invoice::Error) -> Option<String> {
    match error {
        invoice::Error::NoSuchLine { item, .. } => Some(format!("/lines/{item}/line")),
        invoice::Error::MoreThanLeft { item, .. } => Some(format!("/lines/{item}/quantity")),
        invoice::Error::AboveLine { item, .. } => Some(format!("/lines/{item}/price_reduction")),
        invoice::Error::BeforeInvoice { .. } => Some("/issued_on".to_owned()),
        invoice::Error::AboveInvoice { .. } => Some("/lines".to_owned()),
        invoice::Error::Unissued
        | invoice::Error::AlreadyIssued
        | invoice::Error::IsCreditNote
        | invoice::Error::NotCreditNote
        | invoice::Error::NotPositive
        | invoice::Error::MoreThanOpen { .. }
        | invoice::Error::MoreThanUnapplied { .. }
        | invoice::Error::Money(_) => None,
    }
}

/// The invoice lines and quantities that the request names. All wrong lines are reported at once.
async fn items(work: &mut Work, request: &Issue, charged: &Charged) -> Result<Vec<Item>, Failure> {
    // Checked before products are loaded.
    lines::document(request.lines.clone())?;
    let named = |line: &CreditLine| line.sku.is_some() || line.code.is_some();
    let names: Vec<Naming<'_>> = request
        .lines
        .iter()
        .map(|line| Naming::by(line.sku.as_ref(), line.code.as_ref()))
        .collect();
    let found = if request.lines.iter().any(named) {
        lines::products(work, &names, request.company).await?
    } else {
        vec![None; names.len()]
    };
    let packed = request.lines.iter().any(|line| line.packaging.is_some());
    if packed {
        work.load_many::<Product>(charged.lines.iter().map(|line| line.product.0)).await?;
    }
    let (mut items, mut wrong) = (Vec::with_capacity(request.lines.len()), Vec::new());
    for (index, (line, product)) in request.lines.iter().zip(found).enumerate() {
        match item(work, line, product, charged) {
            Ok(item) => items.push(item),
            Err(Wrong { problem, field, detail }) => {
                wrong.push((
                    Some(problem),
                    FieldError::at(format!("/lines/{index}/{field}"), detail),
                ));
            }
        }
    }
    if wrong.is_empty() { Ok(items) } else { Err(lines::refused(wrong).into()) }
}

/// An error of one line.
struct Wrong {
    problem: Problem,
    field: &'static str,
    detail: String,
}

fn wrong(code: &'static str, field: &'static str, detail: impl Into<String>) -> Wrong {
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code);
    Wrong { problem, field, detail: detail.into() }
}

fn item(
    work: &Work,
    request: &CreditLine,
    product: Option<ProductId>,
    charged: &Charged,
) -> Result<Item, Wrong> {
    let number = number(request, product, charged)?;
    let quantity = match (request.packaging, charged.lines.line(number)) {
        (Some(_), Some(line)) => unpacked(work, request, line.product)?,
        (None, _) | (_, None) => request.quantity,
    };
    Ok(Item { line: number, quantity, price_reduction: request.price_reduction })
}

/// The quantity of a line, in units of its product.
fn unpacked(work: &Work, request: &CreditLine, product: ProductId) -> Result<Quantity, Wrong> {
    let item = work.get::<Product>(product).and_then(|product| product.item().ok());
    let (Some(item), Some(packaging)) = (item, request.packaging) else {
        return Ok(request.quantity);
    };
    item.unpacked(request.quantity, packaging).map_err(|error| Wrong {
        problem: refusal(&error),
        field: lines::field_of(&error, "packaging"),
        detail: error.to_string(),
    })
}

/// The number of the invoice line: the given one, else the only line with the product and, if
/// given, the price.
fn number(
    request: &CreditLine,
    product: Option<ProductId>,
    charged: &Charged,
) -> Result<u32, Wrong> {
    let (field, meant): (_, Vec<(u32, &Line)>) = match (request.line, &request.sku, &request.code) {
        (Some(number), None, None) => {
            ("line", charged.lines.line(number).map(|line| (number, line)).into_iter().collect())
        }
        (None, Some(sku), None) => {
            let is_meant = |line: &Line| Some(line.product) == product || line.sku == *sku;
            ("sku", charged.lines.numbered().filter(|(_, line)| is_meant(line)).collect())
        }
        (None, None, Some(_)) => {
            let is_meant = |line: &Line| Some(line.product) == product;
            ("code", charged.lines.numbered().filter(|(_, line)| is_meant(line)).collect())
        }
        _ => {
            let detail = "give exactly one of line, sku and code";
            return Err(wrong("credit_note.line_not_named", "line", detail));
        }
    };
    let Some(&(_, first)) = meant.first() else {
        return Err(wrong("credit_note.not_on_invoice", field, "is not on the invoice"));
    };
    let is_priced = |line: &Line| request.unit_price.is_none_or(|price| price == line.unit_price);
    let mut priced = meant.iter().filter(|(_, line)| is_priced(line));
    match (priced.next(), priced.next()) {
        (Some(&(number, _)), None) => Ok(number),
        (None, _) => {
            let detail = format!("the price on the invoice is {}", first.unit_price);
            Err(wrong("credit_note.other_price", "unit_price", detail))
        }
        (Some((one, _)), Some((other, _))) => {
            let detail =
                format!("is on lines {one} and {other} of the invoice: give the line number");
            Err(wrong("credit_note.line_ambiguous", field, detail))
        }
    }
}
