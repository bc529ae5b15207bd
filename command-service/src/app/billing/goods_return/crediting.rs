//! A return is settled: by a credit note, or by one and an order of the same goods at the same prices.

use domain::{
    Destination, GoodsReturn, GoodsReturnId, Invoice, InvoiceId, Line, Note, OfCompany, OrderId,
    Reference,
    goods_return::{Case, Command, Item},
    invoice, order,
};
use event_log::{Outcome, Work, WorkError};
use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;
use uuid::Uuid;

use super::{decided, place_of};
use crate::{
    app::{
        Services,
        billing::credit_note::{self, CreditLine, Earlier, Issue},
        deciding,
        parties::company_hierarchy,
        sales::{
            lines,
            order_checks::Assent,
            ordering::{self, OrderOrigin},
        },
    },
    caller::Caller,
    failure::{Failure, happened, refusal, refusal_at},
};

/// What is credited.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CreditGoodsReturn")]
pub struct Credit {
    /// Which lines and how much of them; all that can be credited now when not given.
    #[serde(default)]
    pub lines: Option<Vec<Item>>,
    /// What the credit note says.
    #[serde(default)]
    pub reason: Option<Note>,
    /// The day of the credit note, when it is entered later; today when not given.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub issued_on: Option<Date>,
}

/// What is replaced.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReplaceGoodsReturn")]
pub struct Replace {
    /// Which lines and how much of them; all that can be credited now when not given.
    #[serde(default)]
    pub lines: Option<Vec<Item>>,
    /// What the credit note says.
    #[serde(default)]
    pub reason: Option<Note>,
    /// Where the order goes and who pays for it.
    #[serde(default)]
    pub destination: Destination,
    /// The company's own number of the order.
    #[serde(default)]
    pub reference: Option<Reference>,
}

/// Credits goods of a return, or a complaint, by a credit note at the prices and rates of the invoice.
pub async fn credit(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: GoodsReturnId,
    Credit { lines, reason, issued_on }: Credit,
) -> Result<Outcome, Problem> {
    let (today, credit_note) = (services.clock.today(), InvoiceId(Uuid::now_v7()));
    if let Some(day) = issued_on {
        happened("/issued_on", day, today)?;
    }
    let earlier = &earlier(services, id).await?;
    let given = &Given { credit_note, lines, reason, on: issued_on.unwrap_or(today) };
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                give_back(work, caller, id, given, earlier).await?;
                conclude(work, caller, id, given, None).await
            })
        })
        .await
}

/// Replaces goods of a return: they are credited, and ordered once more at the prices of the invoice, so
/// that both amounts are the same.
pub async fn replace(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: GoodsReturnId,
    Replace { lines, reason, destination, reference }: Replace,
) -> Result<Outcome, Problem> {
    let (on, now) = (services.clock.today(), services.clock.now());
    let earlier = &earlier(services, id).await?;
    let given = &Given { credit_note: InvoiceId(Uuid::now_v7()), lines, reason, on };
    let (destination, reference) = (&destination, &reference);
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let credits = give_back(work, caller, id, given, earlier).await?;
                let order = OrderId::of_replacement(given.credit_note);
                let (destination, reference) = (destination.clone(), reference.clone());
                let replacement = Replacement { order, credits, destination, reference };
                place(work, id, replacement, (on, now)).await?;
                conclude(work, caller, id, given, Some(order)).await
            })
        })
        .await
}

/// A credit note to issue.
struct Given {
    credit_note: InvoiceId,
    lines: Option<Vec<Item>>,
    reason: Option<Note>,
    on: Date,
}

/// The credit notes of the invoice of a return that older builds issued. The invoice of a return never
/// changes, so it is no fact that an append must assert.
async fn earlier(services: &Services, id: GoodsReturnId) -> Result<Earlier, Problem> {
    let goods_return = services.log.load::<GoodsReturn>(id.0).await.map_err(Failure::from)?;
    match goods_return.state.held() {
        Some((invoice, _)) => Earlier::of(services, invoice).await,
        None => Ok(Earlier::default()),
    }
}

/// Issues the credit note; answers what of the invoice it credits.
async fn give_back(
    work: &mut Work,
    caller: &Caller,
    id: GoodsReturnId,
    given: &Given,
    earlier: &Earlier,
) -> Result<Vec<invoice::Item>, Failure> {
    let goods_return = work.load::<GoodsReturn>(id).await?;
    caller.must_see(goods_return.company())?;
    let case = goods_return.authorised().map_err(|error| refusal(&error))?;
    let (company, corrected) = (case.company, case.invoice);
    let broken =
        |error| refusal_at(WorkError::Refused(error), |error| place_of(error, "right_price"));
    let credits = case.credits(&items(goods_return, given)).map_err(broken)?;
    let charged = work.load::<Invoice>(corrected).await?.charged();
    let currency = charged.map_err(|error| refusal(&error))?.currency();
    let issue = Issue {
        company,
        corrects: Some(corrected),
        currency,
        lines: credits.iter().map(CreditLine::from).collect(),
        reason: given.reason.clone(),
        issued_on: Some(given.on),
        sold_on: None,
    };
    credit_note::give_back(work, given.credit_note, issue, earlier, given.on).await?;
    Ok(credits)
}

/// What is named, or all that can be credited now.
fn items(goods_return: &GoodsReturn, given: &Given) -> Vec<Item> {
    given
        .lines
        .clone()
        .unwrap_or_else(|| goods_return.authorised().map(Case::creditable).unwrap_or_default())
}

/// The return records its credit note.
async fn conclude(
    work: &mut Work,
    caller: &Caller,
    id: GoodsReturnId,
    given: &Given,
    replacement: Option<OrderId>,
) -> Result<(), Failure> {
    let items = items(work.load::<GoodsReturn>(id).await?, given);
    let Given { credit_note, on, .. } = *given;
    decided(work, caller, id, Command::Credit { credit_note, items, replacement, on }).await
}

/// An order of the same goods.
struct Replacement {
    order: OrderId,
    credits: Vec<invoice::Item>,
    destination: Destination,
    reference: Option<Reference>,
}

/// Places the order that replaces what is credited. The company has agreed to it by its request, so it
/// needs no approval there.
async fn place(
    work: &mut Work,
    id: GoodsReturnId,
    Replacement { order, credits, destination, reference }: Replacement,
    (on, now): (Date, Timestamp),
) -> Result<(), Failure> {
    let case = work.load::<GoodsReturn>(id).await?.authorised();
    let case = case.map_err(|error| refusal(&error))?;
    let (company, invoice) = (case.company, case.invoice);
    let charged = work.load::<Invoice>(invoice).await?.charged();
    let charged = charged.map_err(|error| refusal(&error))?;
    let line = |credit: &invoice::Item| {
        let line = charged.lines.line(credit.line)?.clone();
        Some(Line { quantity: credit.quantity, deliver_on: None, ..line })
    };
    let ordered = lines::document(credits.iter().filter_map(line).collect())?;
    let currency = charged.currency();
    let payment_term = company_hierarchy::buying_term(work, company).await?;
    ordering::admit(work, company, None, &destination).await?;
    let terms = order::Terms {
        company,
        currency,
        lines: ordered,
        payment_term,
        source: order::Source::Direct,
        reference,
        placed_by: None,
        destination,
        delivery_terms: None,
        wished_on: None,
        note: None,
    };
    // It replaces what was ordered before under the same number, however little that is.
    let assent = Assent { repeated_reference: true, below_minimum: true, ..Assent::default() };
    ordering::place(work, order, terms, OrderOrigin::Seller, assent, (on, now)).await
}
