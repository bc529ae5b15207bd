//! Filling a cart with what was ordered, invoiced or listed before: each line is answered like a
//! row that is added, so that what cannot be had any more is said.

use axum::http::StatusCode;
use deadpool_postgres::Object;
use domain::{CartId, InvoiceId, Line, OrderId, OrderListId, purchase_lines::PurchaseLine};
use futures::FutureExt;
use projections::{
    ReadError,
    views::{billing::invoices, sales::orders},
};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};

use crate::{
    app::{
        Services,
        sales::{
            cart::{
                adding::{self, AddOptions, AddedRows},
                placing,
            },
            order_list,
            purchase_rows::PurchaseRow,
        },
    },
    caller::Caller,
    failure::{Failure, problem},
};

/// From what a cart is filled.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "ReorderSource")]
pub enum Source {
    /// A former order.
    Order {
        /// Which.
        order: OrderId,
    },
    /// An invoice.
    Invoice {
        /// Which.
        invoice: InvoiceId,
    },
    /// An order list.
    OrderList {
        /// Which.
        order_list: OrderListId,
    },
    /// Another cart, which stays as it is.
    Cart {
        /// Which.
        cart: CartId,
    },
}

/// Adds to a cart what is in something else.
pub async fn add(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CartId,
    source: Source,
    options: AddOptions,
) -> Result<AddedRows, Problem> {
    let rows = match source {
        Source::Order { order } => ordered(services, caller, order).await?,
        Source::Invoice { invoice } => invoiced(services, caller, invoice).await?,
        Source::OrderList { order_list } => listed(services, caller, order_list).await?,
        Source::Cart { cart } => in_cart(services, caller, cart).await?,
    };
    adding::add_rows(services, caller, digest, id, rows, options).await
}

/// What the source names is not there, or the caller may not know of it.
fn missing(pointer: &'static str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "body.names_nothing")
        .field(FieldError::at(pointer, "there is no such thing"))
}

fn of_lines(lines: &[Line]) -> Vec<PurchaseRow> {
    let row = |(number, line): (u32, &Line)| {
        PurchaseRow::of_product(number, line.product, line.quantity, None, None)
    };
    (1..).zip(lines).map(row).collect()
}

fn of_purchase_lines(lines: Vec<PurchaseLine>) -> Vec<PurchaseRow> {
    // Their quantities are in units of the product already.
    let row = |line: PurchaseLine| {
        PurchaseRow::of_product(line.line, line.product, line.quantity, None, line.note)
    };
    lines.into_iter().map(row).collect()
}

/// A connection to a read model that shows what has happened until now.
async fn reading(services: &Services, view: &'static str) -> Result<Object, Problem> {
    let head = services.log.head().await.map_err(Failure::from)?;
    let read = async {
        services.views.wait(&[view], head).await?;
        services.views.client().await
    };
    read.await.map_err(unread)
}

#[allow(clippy::needless_pass_by_value, reason = "it is what `map_err` calls")]
fn unread(error: ReadError) -> Problem {
    tracing::warn!(error = &error as &dyn std::error::Error, "a read model is not read");
    Problem::unavailable("the read models do not answer")
}

async fn ordered(
    services: &Services,
    caller: &Caller,
    order: OrderId,
) -> Result<Vec<PurchaseRow>, Problem> {
    let client = reading(services, orders::PROJECTION.name).await?;
    let filter =
        orders::Filter { id: Some(order.0), company: caller.company(), ..Default::default() };
    let found = orders::list(&client, &filter, None, 1).await.map_err(unread)?;
    let order = found.into_iter().next().ok_or_else(|| missing("/order"))?;
    Ok(of_lines(&order.terms.lines))
}

async fn invoiced(
    services: &Services,
    caller: &Caller,
    invoice: InvoiceId,
) -> Result<Vec<PurchaseRow>, Problem> {
    let client = reading(services, invoices::PROJECTION.name).await?;
    let (today, company) = (services.clock.today(), caller.company());
    let filter = invoices::Filter { today, id: Some(invoice.0), company, number: None };
    let found = invoices::list(&client, &filter, None, 1).await.map_err(unread)?;
    let invoice = found.into_iter().next().ok_or_else(|| missing("/invoice"))?;
    Ok(of_lines(&invoice.said.lines))
}

async fn listed(
    services: &Services,
    caller: &Caller,
    list: OrderListId,
) -> Result<Vec<PurchaseRow>, Problem> {
    let found = services.log.rehearse(|work| {
        let caller = caller.clone();
        async move { order_list::contents(work, &caller, list).await }.boxed()
    });
    let contents = found.await.map_err(problem)?;
    Ok(of_purchase_lines(contents.lines.iter().cloned().collect()))
}

async fn in_cart(
    services: &Services,
    caller: &Caller,
    cart: CartId,
) -> Result<Vec<PurchaseRow>, Problem> {
    let found = services.log.rehearse(|work| {
        let caller = caller.clone();
        async move { placing::lines_of(work, &caller, cart).await }.boxed()
    });
    let (_, lines) = found.await.map_err(problem)?;
    Ok(of_purchase_lines(lines))
}
