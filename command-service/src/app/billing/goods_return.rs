//! Goods returns and complaints: requested by the company or entered by the seller, answered, sent,
//! received and inspected.

mod crediting;
mod goods;

use std::collections::BTreeMap;

use axum::http::StatusCode;
use domain::{
    Attachments, GoodsReturn, GoodsReturnId, Invoice, InvoiceId, InvoiceReturns, InvoiceReturnsId,
    Note, OfCompany, Product, Quantity, UnitPrice,
    goods_return::{self, AuthorisedLine, Command, Kind, Reason, RequestedLine, Transport},
    invoice_returns::{self, Quantities},
};
use event_log::{Outcome, Work};
use jiff::{ToSpan, civil::Date};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

pub use self::{
    crediting::{Credit, Replace, credit, replace},
    goods::{Inspect, Receive, Send, inspect, receive, send},
};
use crate::{
    app::{Services, deciding, sales::lines},
    caller::Caller,
    failure::{Failure, happened, refusal, refusal_at},
};

/// What is returned or complained about.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RequestGoodsReturn")]
pub struct Request {
    /// On which invoice it was sold.
    pub invoice: InvoiceId,
    pub kind: Kind,
    pub lines: Vec<Line>,
    #[serde(default)]
    pub note: Option<Note>,
    /// The day, when the seller enters it later; today when not given.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub requested_on: Option<Date>,
}

/// So much of one line of the invoice.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RequestGoodsReturnLine")]
pub struct Line {
    /// The number of the line on the invoice, counted from 1.
    pub invoice_line: u32,
    /// How much of it, in units of the product.
    pub quantity: Quantity,
    pub reason: Reason,
    /// The right net price of one unit, where the reason is a wrong price.
    #[serde(default)]
    pub claimed_price: Option<UnitPrice>,
    #[serde(default)]
    pub note: Option<Note>,
    /// Such as photographs.
    #[serde(default)]
    pub attachments: Attachments,
}

/// Requests a return, or complains.
pub async fn request(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    request: Request,
) -> Result<Outcome, Problem> {
    let (id, today) = (GoodsReturnId(Uuid::now_v7()), services.clock.today());
    if let Some(day) = request.requested_on {
        happened("/requested_on", day, today)?;
        if caller.company().is_some() && day != today {
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "goods_return.other_day")
                .field(FieldError::at("/requested_on", "a company requests a return today")));
        }
    }
    let request = &request;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let on = request.requested_on.unwrap_or(today);
                let (asked, until) = asked(work, caller, request, on).await?;
                let not_credited = not_credited(work, asked.invoice).await?;
                let command = Command::Request { request: Box::new(asked), until };
                decide(work, id, command, "claimed_price").await?;
                hold(work, id, not_credited).await.map_err(|error| {
                    refusal_at(error, |invoice_returns::Error::MoreThanLeft { line, .. }| {
                        let names = |asked: &Line| asked.invoice_line == *line;
                        let index = request.lines.iter().rposition(names)?;
                        Some(format!("/lines/{index}/quantity"))
                    })
                })
            })
        })
        .await
}

/// The request with what the invoice says of its lines, and the last days on which companies can return
/// them.
async fn asked(
    work: &mut Work,
    caller: &Caller,
    request: &Request,
    on: Date,
) -> Result<(goods_return::Request, BTreeMap<u32, Date>), Failure> {
    let invoice = work.load::<Invoice>(request.invoice).await?;
    caller.must_see(invoice.company())?;
    let charged = invoice.charged().map_err(|error| refusal(&error))?.clone();
    let company = invoice.company().ok_or_else(Problem::not_found)?;
    lines::document(request.lines.clone())?;
    let (mut asked, mut wrong) = (Vec::with_capacity(request.lines.len()), Vec::new());
    for (index, line) in request.lines.iter().enumerate() {
        let Some(sold) = charged.lines.line(line.invoice_line) else {
            let problem =
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "goods_return.not_on_invoice");
            let pointer = format!("/lines/{index}/invoice_line");
            wrong.push((Some(problem), FieldError::at(pointer, "is not on the invoice")));
            continue;
        };
        let Line { invoice_line, quantity, reason, claimed_price, note, attachments } =
            line.clone();
        asked.push(RequestedLine {
            invoice_line,
            product: sold.product,
            sku: sold.sku.clone(),
            name: sold.name.clone(),
            unit_price: sold.unit_price,
            quantity,
            reason,
            claimed_price,
            note,
            attachments,
        });
    }
    if !wrong.is_empty() {
        return Err(lines::refused(wrong).into());
    }
    work.load_many::<Product>(asked.iter().map(|line| line.product.0)).await?;
    let mut until = BTreeMap::new();
    for (index, line) in asked.iter().enumerate() {
        let Some(product) = work.get::<Product>(line.product) else { continue };
        is_whole(product, line.quantity, || format!("/lines/{index}/quantity"))?;
        let days = product.item().ok().and_then(|item| item.details().return_term_days);
        if let Some(days) = days {
            until.insert(line.invoice_line, charged.on.saturating_add(i32::from(days).days()));
        }
    }
    let asked = goods_return::Request {
        company,
        invoice: request.invoice,
        order: charged.order,
        shipment: charged.shipment,
        kind: request.kind,
        lines: lines::document(asked)?,
        note: request.note.clone(),
        by: caller.actor(),
        side: caller.side(),
        on,
    };
    Ok((asked, until))
}

/// What of the lines of an invoice is not credited.
async fn not_credited(work: &mut Work, invoice: InvoiceId) -> Result<Quantities, Failure> {
    let charged = work.load::<Invoice>(invoice).await?.charged();
    Ok(charged.map_err(|error| refusal(&error))?.not_credited())
}

/// The seller's answer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AuthoriseGoodsReturn")]
pub struct Authorise {
    /// What is not authorised as it was requested; lines that are not named are.
    #[serde(default)]
    pub lines: Vec<AuthorisedLine>,
    /// How the goods are to come back.
    #[serde(default)]
    pub transport: Option<Transport>,
    /// Labels for the parcels.
    #[serde(default)]
    pub labels: Attachments,
    /// What the company is to know.
    #[serde(default)]
    pub note: Option<Note>,
}

/// Authorises a return, whole or in part.
pub async fn authorise(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: GoodsReturnId,
    request: Authorise,
) -> Result<Outcome, Problem> {
    let request = &request;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let Authorise { lines, transport, labels, note } = request.clone();
                let parts = lines.iter().enumerate().filter_map(|(index, line)| {
                    Some(Part {
                        index,
                        line: line.line,
                        quantity: line.quantity?,
                        field: "quantity",
                    })
                });
                are_whole(work, id, parts.collect()).await?;
                let command = Command::Authorise { lines, transport, labels, note };
                decided(work, caller, id, command).await
            })
        })
        .await
}

/// Why.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RefuseGoodsReturn")]
pub struct Refuse {
    /// The company sees it.
    pub reason: Note,
}

/// Refuses a return.
pub async fn refuse(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: GoodsReturnId,
    Refuse { reason }: Refuse,
) -> Result<Outcome, Problem> {
    command(services, caller, digest, id, Command::Refuse { reason }).await
}

/// Why.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WithdrawGoodsReturn")]
pub struct Withdraw {
    #[serde(default)]
    pub reason: Option<Note>,
}

/// Takes a return back, while no goods have come.
pub async fn withdraw(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: GoodsReturnId,
    Withdraw { reason }: Withdraw,
) -> Result<Outcome, Problem> {
    command(services, caller, digest, id, Command::Withdraw { reason }).await
}

/// Why.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CloseGoodsReturn")]
pub struct Close {
    /// The company sees it.
    pub reason: Note,
}

/// Closes a return before all that was authorised is settled.
pub async fn close(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: GoodsReturnId,
    Close { reason }: Close,
) -> Result<Outcome, Problem> {
    command(services, caller, digest, id, Command::Close { reason }).await
}

/// Gives one command to a return.
async fn command(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: GoodsReturnId,
    command: Command,
) -> Result<Outcome, Problem> {
    let command = &command;
    services
        .execute(caller, digest, &|work| deciding(decided(work, caller, id, command.clone())))
        .await
}

/// Gives a command to a return that the caller sees; it holds of its invoice what follows.
async fn decided(
    work: &mut Work,
    caller: &Caller,
    id: GoodsReturnId,
    command: Command,
) -> Result<(), Failure> {
    caller.must_see(work.load::<GoodsReturn>(id).await?.company())?;
    decide(work, id, command, "right_price").await?;
    // Nothing but a request holds more than before.
    Ok(hold(work, id, Quantities::new()).await?)
}

async fn decide(
    work: &mut Work,
    id: GoodsReturnId,
    command: Command,
    price: &str,
) -> Result<(), Failure> {
    work.decide::<GoodsReturn>(id, command)
        .await
        .map_err(|error| refusal_at(error, |error| place_of(error, price)))?;
    work.answer(id);
    Ok(())
}

/// Lets a return hold of its invoice what no other return can have.
async fn hold(
    work: &mut Work,
    id: GoodsReturnId,
    not_credited: Quantities,
) -> Result<(), event_log::WorkError<invoice_returns::Error>> {
    let goods_return = work.load::<GoodsReturn>(id).await?;
    let Some((company, (invoice, held))) = goods_return.company().zip(goods_return.held()) else {
        return Ok(());
    };
    let command = invoice_returns::Command::Hold { company, goods_return: id, held, not_credited };
    work.decide::<InvoiceReturns>(InvoiceReturnsId::of(invoice), command).await
}

/// Where in the body the item stands that the return refuses.
fn place_of(error: &goods_return::Error, price: &str) -> Option<String> {
    use goods_return::Error as E;
    let (item, field) = match error {
        E::ReasonDoesNotFit { item, .. } | E::ReasonMissing { item, .. } => (item, "reason"),
        E::NoPrice { item, .. } | E::PriceMissing { item } | E::PriceNotLower { item, .. } => {
            (item, price)
        }
        E::TooLate { item, .. } => (item, "invoice_line"),
        E::NamedTwice { item, .. } | E::NoSuchLine { item, .. } => (item, "line"),
        E::MoreThanRequested { item, .. }
        | E::MoreThanAuthorised { item, .. }
        | E::MoreThanCreditable { item, .. } => (item, "quantity"),
        E::SumDiffers { item, .. } => return Some(format!("/lines/{item}")),
        E::NoItems | E::NothingAuthorised => return Some("/lines".to_owned()),
        E::Unrequested
        | E::AlreadyRequested
        | E::NotAuthorised
        | E::AlreadyAuthorised
        | E::Ended
        | E::UnderWay
        | E::NothingComesBack
        | E::TooManyParcels
        | E::NotInspected
        | E::NothingToCredit
        | E::NothingToReplace
        | E::Day(_) => return None,
    };
    Some(format!("/lines/{item}/{field}"))
}

/// So much of a line of a return, and where in the body it stands.
struct Part {
    index: usize,
    line: u32,
    quantity: Quantity,
    field: &'static str,
}

/// Refuses halves of what is sold by the piece.
async fn are_whole(work: &mut Work, id: GoodsReturnId, parts: Vec<Part>) -> Result<(), Failure> {
    let goods_return = work.load::<GoodsReturn>(id).await?;
    let product_of = |part: &Part| Some(goods_return.line(part.line)?.product);
    let products: Vec<_> = parts.iter().map(product_of).collect();
    work.load_many::<Product>(products.iter().flatten().map(|product| product.0)).await?;
    for (part, product) in parts.iter().zip(products) {
        if let Some(product) = product.and_then(|product| work.get::<Product>(product)) {
            let pointer = || format!("/lines/{}/{}", part.index, part.field);
            is_whole(product, part.quantity, pointer)?;
        }
    }
    Ok(())
}

fn is_whole(
    product: &Product,
    quantity: Quantity,
    pointer: impl FnOnce() -> String,
) -> Result<(), Problem> {
    product
        .can_leave(quantity)
        .map_err(|error| refusal(&error).field(FieldError::at(pointer(), error.to_string())))
}
