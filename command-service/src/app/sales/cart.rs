//! Carts: what companies are about to order.

pub mod adding;
pub mod combining;
pub mod placing;
pub mod totals;

use std::collections::BTreeSet;

use axum::http::StatusCode;
use domain::{
    Cart, CartId, CompanyId, Currency, Name, Note, OfCompany, ProductId, Quantity,
    cart::{Command, Contents, Head},
    pricing::Step,
    product::{PackagingName, Packing},
    purchase_lines::{self, PurchaseLine, Wanted},
};
use event_log::{Outcome, Work};
use jiff::civil::Date;
use projections::views::sales::carts;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use crate::{
    app::{
        Services,
        catalogue::assortment_context::Requester,
        deciding,
        parties::company_hierarchy,
        pricing::pricing_context::{Prices, Sale},
        sales::offerings::{self, Offering},
    },
    caller::Caller,
    failure::{Failure, refusal},
};

/// How many open carts a company has at most. It is counted in the read model, so requests at the
/// same time may exceed it by as many as they are.
pub const MOST_OPEN: i64 = 500;

/// A new cart.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OpenCart")]
pub struct Open {
    /// For which company; a buyer's key knows it.
    #[serde(default)]
    pub company: Option<CompanyId>,
    /// What it is called.
    pub name: Name,
    pub currency: Currency,
    /// Whether others of the company, and the seller, see and change it.
    #[serde(default)]
    pub shared: bool,
}

/// Opens a cart.
pub async fn open(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    Open { company, name, currency, shared }: Open,
) -> Result<Outcome, Problem> {
    let company = whose(caller, company, "cart.company_missing")?;
    let id = CartId(Uuid::now_v7());
    let head = &Head { company, owner: caller.actor(), name, currency, shared };
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                company_hierarchy::line_of(work, company).await?;
                room(services, company).await?;
                work.decide::<Cart>(id, Command::Open { head: head.clone() }).await?;
                Ok(())
            })
        })
        .await
}

/// A buyer acts for its own company; the seller's people say for whom.
pub(super) fn whose(
    caller: &Caller,
    named: Option<CompanyId>,
    code: &'static str,
) -> Result<CompanyId, Problem> {
    let Some(own) = caller.company() else {
        return named.ok_or_else(|| {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code)
                .field(FieldError::at("/company", "is needed"))
        });
    };
    caller.must_see(Some(named.map_or(own, Uuid::from)))?;
    Ok(CompanyId(own))
}

async fn room(services: &Services, company: CompanyId) -> Result<(), Failure> {
    let client = services.views.client().await.map_err(offerings::unread)?;
    let open = carts::count_open(&client, company, MOST_OPEN).await.map_err(offerings::unread)?;
    if open >= MOST_OPEN {
        let detail = format!("a company has at most {MOST_OPEN} open carts");
        return Err(Problem::new(StatusCode::CONFLICT, "cart.too_many").detail(detail).into());
    }
    Ok(())
}

/// A cart that the caller sees, as it is decided upon.
pub(super) async fn seen<'w>(
    work: &'w mut Work,
    caller: &Caller,
    id: CartId,
) -> Result<&'w Cart, Failure> {
    let cart = work.load::<Cart>(id).await?;
    caller.must_see(cart.company())?;
    if !cart.is_shown_to(caller.actor()) {
        return Err(Problem::not_found().into());
    }
    Ok(cart)
}

pub(super) async fn contents(
    work: &mut Work,
    caller: &Caller,
    id: CartId,
) -> Result<Contents, Failure> {
    let contents = seen(work, caller, id).await?.contents();
    Ok(contents.map_err(|error| refusal(&error))?.clone())
}

/// On whose terms a cart is filled: at listed prices, which nobody is asked about.
pub(super) fn sale(head: &Head, today: Date) -> Sale {
    let Head { company, currency, .. } = *head;
    Sale { company, currency, prices: Prices::Listed, on: today }
}

pub(super) fn requester(caller: &Caller) -> Requester {
    match caller.company() {
        Some(_) => Requester::Company,
        None => Requester::Seller,
    }
}

async fn decide(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CartId,
    command: Command,
) -> Result<Outcome, Problem> {
    let command = &command;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                seen(work, caller, id).await?;
                work.decide::<Cart>(id, command.clone()).await?;
                Ok(())
            })
        })
        .await
}

/// What it is called from now on.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RenameCart")]
pub struct Rename {
    pub name: Name,
}

/// Renames a cart.
pub async fn rename(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CartId,
    Rename { name }: Rename,
) -> Result<Outcome, Problem> {
    decide(services, caller, digest, id, Command::Rename { name }).await
}

/// Shows a cart to the others of its company, and to the seller.
pub async fn share(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CartId,
) -> Result<Outcome, Problem> {
    decide(services, caller, digest, id, Command::Share).await
}

/// Hides a cart from everybody but its owner.
pub async fn unshare(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CartId,
) -> Result<Outcome, Problem> {
    decide(services, caller, digest, id, Command::Unshare { by: caller.actor() }).await
}

/// Removes all lines of a cart.
pub async fn clear(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CartId,
) -> Result<Outcome, Problem> {
    decide(services, caller, digest, id, Command::Clear).await
}

/// Closes a cart that is not wanted any more.
pub async fn discard(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CartId,
) -> Result<Outcome, Problem> {
    decide(services, caller, digest, id, Command::Discard).await
}

/// Which lines.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RemoveCartLines")]
pub struct RemoveLines {
    /// Their numbers; those that are gone already are passed over.
    #[schemars(length(min = 1, max = 5_000))]
    pub lines: Vec<u32>,
}

/// Removes lines of a cart.
pub async fn remove_lines(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CartId,
    RemoveLines { lines }: RemoveLines,
) -> Result<Outcome, Problem> {
    decide(services, caller, digest, id, Command::Remove { lines }).await
}

/// What is to change in lines; what is not given stays.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ChangeCartLines")]
pub struct ChangeLines {
    #[schemars(length(min = 1, max = 5_000))]
    pub lines: Vec<LineChange>,
}

/// A line as it is to be.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PurchaseLineChange")]
pub struct LineChange {
    /// Its number.
    pub line: u32,
    /// How much: in units of the product, or in those of `packaging`. It is rounded up to what is
    /// ordered of the product.
    #[serde(default)]
    pub quantity: Option<Quantity>,
    /// In what `quantity` is counted.
    #[serde(default)]
    pub packaging: Option<PackagingName>,
    /// What else is to be known.
    #[serde(default)]
    pub note: Option<Note>,
}

/// Changes lines of a cart.
pub async fn change_lines(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CartId,
    ChangeLines { lines: changes }: ChangeLines,
) -> Result<Outcome, Problem> {
    let (today, changes) = (services.clock.today(), &changes);
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let contents = contents(work, caller, id).await?;
                let olds = named(&contents.lines, changes)?;
                let products: BTreeSet<ProductId> = olds.iter().map(|old| old.product).collect();
                let sale = sale(&contents.head, today);
                let products = products.into_iter().collect();
                let offered =
                    offerings::of_products(services, work, products, sale, requester(caller));
                let offered = offered.await?;
                let mut lines = Vec::with_capacity(changes.len());
                for (index, (change, old)) in changes.iter().zip(olds).enumerate() {
                    let offering = match &offered[&old.product] {
                        Ok(offering) => Some(offering),
                        // Its quantity cannot be checked; a note can be written all the same.
                        Err(_) if change.quantity.is_none() => None,
                        Err(refused) => {
                            return Err(not_offered(&refused.why, index).into());
                        }
                    };
                    lines.push((change.line, changed(work, offering, old, change, index)?));
                }
                work.decide::<Cart>(id, Command::Change { lines }).await?;
                Ok(())
            })
        })
        .await
}

/// The present lines that changes name.
pub(super) fn named(
    lines: &purchase_lines::PurchaseLines,
    changes: &[LineChange],
) -> Result<Vec<PurchaseLine>, Problem> {
    let old = |(index, change): (usize, &LineChange)| {
        lines.line(change.line).cloned().ok_or_else(|| {
            let error = purchase_lines::Error::NoSuchLine { line: change.line };
            let pointer = format!("/lines/{index}/line");
            refusal(&error).field(FieldError::at(pointer, error.to_string()))
        })
    };
    changes.iter().enumerate().map(old).collect()
}

fn not_offered(why: &super::purchase_rows::RowRefusal, index: usize) -> Problem {
    Problem::new(StatusCode::CONFLICT, why.code.clone())
        .detail(why.detail.clone())
        .field(FieldError::at(format!("/lines/{index}/quantity"), why.detail.clone()))
}

/// A line with its changes, as a wish.
pub(super) fn changed(
    work: &Work,
    offering: Option<&Offering>,
    old: PurchaseLine,
    change: &LineChange,
    index: usize,
) -> Result<Wanted, Problem> {
    let note = change.note.clone().or_else(|| old.note.clone());
    let Some(quantity) = change.quantity else {
        let packaging = change.packaging.or(old.packaging);
        return Ok(Wanted { note, packaging, ..kept(old) });
    };
    let quantity = match change.packaging {
        None => quantity,
        Some(packaging) => {
            let item = work.get::<domain::Product>(old.product);
            let item =
                item.and_then(|product| product.item().ok()).ok_or_else(Problem::not_found)?;
            item.unpacked(quantity, packaging).map_err(|error| {
                let pointer = format!("/lines/{index}/packaging");
                refusal(&error).field(FieldError::at(pointer, error.to_string()))
            })?
        }
    };
    if let Some(offering) = offering
        && !offering.unit.divisible()
        && !quantity.units().is_integer()
    {
        let error = domain::product::Error::Indivisible { sku: offering.sku.clone() };
        let pointer = format!("/lines/{index}/quantity");
        return Err(refusal(&error).field(FieldError::at(pointer, error.to_string())));
    }
    let packaging = change.packaging.or(old.packaging);
    Ok(match offering {
        Some(offering) => offering.wanted(quantity, packaging, note),
        None => Wanted { quantity, packaging, note, ..kept(old) },
    })
}

/// A line as a wish that changes nothing: its quantity and the price that was seen stay.
pub(super) fn kept(line: PurchaseLine) -> Wanted {
    let PurchaseLine { product, sku, quantity, packaging, note, unit_price, .. } = line;
    let prices = unit_price.map(|price| Step { at_least: Quantity::LEAST, price });
    Wanted {
        product,
        sku,
        quantity,
        packaging,
        note,
        packing: Packing::default(),
        prices: prices.into_iter().collect(),
    }
}
