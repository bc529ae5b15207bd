//! The query endpoints, one file per resource.

mod account_balances;
mod approval_rules;
mod approvals;
mod assortments;
mod catalogue;
mod categories;
mod companies;
mod conversations;
mod discounts;
mod employees;
mod events;
mod exports;
mod inboxes;
mod invoices;
mod live;
mod negotiations;
mod offer_statistics;
mod offer_templates;
mod offers;
mod orders;
mod payments;
mod price_agreements;
mod prices;
mod product_codes;
mod products;
mod quotation_requests;
mod shipments;
mod stock;
mod territories;

use aide::axum::ApiRouter;
use axum::{http::StatusCode, middleware};
use projections::DocumentNumber;
use service_kit::{
    page::Page,
    problem::{FieldError, Problem},
};

use crate::{Queries, left_out};

/// Every query endpoint.
pub fn router(queries: Queries) -> ApiRouter {
    ApiRouter::new()
        .merge(account_balances::routes())
        .merge(approval_rules::routes())
        .merge(approvals::routes())
        .merge(assortments::routes())
        .merge(catalogue::routes())
        .merge(categories::routes())
        .merge(companies::routes())
        .merge(conversations::routes())
        .merge(discounts::routes())
        .merge(employees::routes())
        .merge(events::routes())
        .merge(exports::routes())
        .merge(inboxes::routes())
        .merge(invoices::routes())
        .merge(negotiations::routes())
        .merge(live::routes())
        .merge(offer_statistics::routes())
        .merge(offer_templates::routes())
        .merge(offers::routes())
        .merge(orders::routes())
        .merge(payments::routes())
        .merge(price_agreements::routes())
        .merge(prices::routes())
        .merge(product_codes::routes())
        .merge(products::routes())
        .merge(quotation_requests::routes())
        .merge(shipments::routes())
        .merge(stock::routes())
        .merge(territories::routes())
        .with_state(queries)
        .layer(middleware::from_fn(left_out::mark))
}

/// The one thing that was asked for, or 404.
fn only<T>(items: Vec<T>) -> Result<axum::Json<T>, Problem> {
    items.into_iter().next().map(axum::Json).ok_or_else(Problem::not_found)
}

/// A parameter names something that is not there.
fn names_nothing(parameter: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "query.names_nothing")
        .field(FieldError::parameter(parameter, detail))
}

/// Where a list is read that is narrowed to one number: the document that began there is the first of
/// those before this.
fn before(number: Option<DocumentNumber>, cursor: Option<i64>) -> Option<i64> {
    number.map_or(cursor, |number| Some(number.began() + 1))
}

/// A page, or of it only the document of a number.
fn numbered<T: serde::Serialize>(
    items: Vec<T>,
    limit: usize,
    number: Option<DocumentNumber>,
    of: impl Fn(&T) -> (DocumentNumber, i64),
) -> Page<T> {
    match number {
        Some(number) => {
            let is_wanted = |item: &T| of(item).0 == number;
            Page { items: items.into_iter().filter(is_wanted).collect(), next_cursor: None }
        }
        None => Page::of(items, limit, |item| of(item).1),
    }
}

/// As many rows as say whether there is another page.
fn one_more(limit: usize) -> i64 {
    i64::try_from(limit + 1).unwrap_or(i64::MAX)
}
