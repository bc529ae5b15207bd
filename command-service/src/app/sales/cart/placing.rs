//! What becomes of a cart: an order, or a quotation request.

use std::collections::BTreeSet;

use domain::{
    AddressId, Attachments, Cart, CartId, Destination, EmployeeId, Message, Money, Note, OrderId,
    PaymentTerm, QuotationRequestId, Reference,
    cart::{Command, Contents, Head},
    order,
    purchase_lines::{self, PurchaseLine},
};
use event_log::Outcome;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use super::{contents, requester};
use crate::{
    app::{
        Services, deciding,
        parties::company_hierarchy,
        pricing::pricing_context::Sale,
        sales::{
            lines::LineRequest,
            order::priced,
            order_checks::Assent,
            ordering::{self, OrderOrigin},
            quotation_lines::QuotationLineRequest,
            quotation_request::{self, Ask},
        },
    },
    caller::Caller,
    failure::{Failure, given, refusal},
};

/// How a cart is ordered.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OrderCart")]
pub struct OrderCart {
    /// The lines to order; the others stay in the cart. All when not given. An order has at most
    /// 2,000 lines.
    #[serde(default)]
    #[schemars(length(min = 1, max = 2_000))]
    pub lines: Option<Vec<u32>>,
    /// The company's own number of the order.
    #[serde(default)]
    pub reference: Option<Reference>,
    /// Where it goes and who pays for it, as far as that is said.
    #[serde(default)]
    pub destination: Destination,
    /// The company's employee who wants it, when the seller enters it; a key of an employee knows.
    #[serde(default)]
    pub placed_by: Option<EmployeeId>,
    /// The company's own term when not given; only the seller can agree on another.
    #[serde(default)]
    pub payment_term: Option<PaymentTerm>,
    /// The day on which the company would like to have it.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub wished_on: Option<Date>,
    /// What the company says about it.
    #[serde(default)]
    pub note: Option<Note>,
    /// The gross total that the client has seen; when it is another one, nothing is placed.
    #[serde(default)]
    pub expected_total: Option<Money>,
    /// Places it although the company has used the same number within 30 days.
    #[serde(default)]
    pub confirm_repeated_reference: bool,
}

/// Orders a cart, or some of its lines, at the prices of now.
pub async fn order(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CartId,
    request: OrderCart,
) -> Result<Outcome, Problem> {
    let seller_only = [
        ("/placed_by", request.placed_by.is_some()),
        ("/payment_term", request.payment_term.is_some()),
    ];
    caller.must_not_set("order.seller_only", &seller_only)?;
    if let Some(expected) = request.expected_total {
        given("/expected_total", expected)?;
    }
    let (origin, buyer) = (OrderOrigin::of(caller), caller.buying_employee());
    let prices = origin.prices();
    let (order, request) = (OrderId(Uuid::now_v7()), &request);
    let (today, now) = (services.clock.today(), services.clock.now());
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let contents = contents(work, caller, id).await?;
                let Head { company, currency, .. } = contents.head;
                let wanted = chosen(&contents, request.lines.as_deref())?;
                let own = company_hierarchy::buying_term(work, company).await?;
                let placed_by = buyer.or(request.placed_by);
                ordering::admit(work, company, placed_by, &request.destination).await?;
                let sale = Sale { company, currency, prices, on: today };
                let requests: Vec<LineRequest> = wanted.iter().map(line_request).collect();
                let lines = priced(work, &requests, sale, (caller.employee(), now)).await?;
                let terms = order::Terms {
                    company,
                    currency,
                    lines,
                    payment_term: request.payment_term.unwrap_or(own),
                    source: order::Source::Direct,
                    reference: request.reference.clone(),
                    placed_by,
                    destination: request.destination.clone(),
                    delivery_terms: None,
                    wished_on: request.wished_on,
                    note: request.note.clone(),
                };
                let assent = Assent {
                    expected_total: request.expected_total,
                    repeated_reference: request.confirm_repeated_reference,
                    below_minimum: false,
                };
                ordering::place(work, order, terms, origin, assent, (today, now)).await?;
                let lines = request.lines.clone();
                work.decide::<Cart>(id, Command::Order { order, lines }).await?;
                work.answer(order);
                Ok(())
            })
        })
        .await
}

/// The lines of a cart that are wanted.
fn chosen(contents: &Contents, lines: Option<&[u32]>) -> Result<Vec<PurchaseLine>, Failure> {
    let Some(lines) = lines else {
        if contents.lines.is_empty() {
            return Err(refusal(&domain::cart::Error::Empty).into());
        }
        return Ok(contents.lines.iter().cloned().collect());
    };
    let lines: BTreeSet<u32> = lines.iter().copied().collect();
    let line = |line: u32| {
        contents.lines.line(line).cloned().ok_or_else(|| {
            let error = purchase_lines::Error::NoSuchLine { line };
            refusal(&error).field(FieldError::at("/lines", error.to_string())).into()
        })
    };
    lines.into_iter().map(line).collect()
}

/// A line of a cart, in units of the product.
fn line_request(line: &PurchaseLine) -> LineRequest {
    LineRequest {
        sku: Some(line.sku.clone()),
        code: None,
        quantity: line.quantity,
        packaging: None,
        unit_price: None,
    }
}

/// What else is said when a quotation is requested for a cart.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RequestCartQuotation")]
pub struct RequestQuotation {
    /// What else is to be said.
    #[serde(default)]
    pub message: Option<Message>,
    /// The day by which the answer is wanted.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub answer_by: Option<Date>,
    /// Where the goods would go: an address of the company, or of a firm above it.
    #[serde(default)]
    pub delivery_address: Option<AddressId>,
}

/// Requests a quotation for the lines of a cart, and closes it. Of lines there are at most 500.
pub async fn request_quotation(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CartId,
    request: RequestQuotation,
) -> Result<Outcome, Problem> {
    let (new, by, today) =
        (QuotationRequestId(Uuid::now_v7()), caller.actor(), services.clock.today());
    let request = &request;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let contents = contents(work, caller, id).await?;
                let wanted = chosen(&contents, None)?;
                let Head { company, currency, .. } = contents.head;
                let RequestQuotation { message, answer_by, delivery_address } = request.clone();
                let ask = Ask {
                    company: Some(company),
                    currency,
                    lines: wanted.iter().map(quotation_line).collect(),
                    message,
                    answer_by,
                    delivery_address,
                    attachments: Attachments::default(),
                };
                let requester = requester(caller);
                quotation_request::request_in(work, new, &ask, (company, requester), (by, today))
                    .await?;
                work.decide::<Cart>(id, Command::Request { request: new }).await?;
                work.answer(new);
                Ok(())
            })
        })
        .await
}

fn quotation_line(line: &PurchaseLine) -> QuotationLineRequest {
    QuotationLineRequest {
        sku: Some(line.sku.clone()),
        code: None,
        wanted: None,
        quantity: line.quantity,
        packaging: None,
        unit_price: None,
        delivery_on: None,
        note: line.note.clone(),
    }
}

/// The lines of a cart that the caller sees, with its head: for what is made of carts elsewhere.
pub async fn lines_of(
    work: &mut event_log::Work,
    caller: &Caller,
    id: CartId,
) -> Result<(Head, Vec<PurchaseLine>), Failure> {
    let Contents { head, lines } = contents(work, caller, id).await?;
    Ok((head, lines.iter().cloned().collect()))
}
