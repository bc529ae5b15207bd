//! The query endpoints, by bounded context, one file per resource.

mod billing;
mod catalogue;
mod events;
mod exports;
mod fulfilment;
mod inventory;
mod live;
mod messaging;
mod parties;
mod pricing;
mod sales;

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
        .merge(billing::routes())
        .merge(catalogue::routes())
        .merge(events::routes())
        .merge(exports::routes())
        .merge(fulfilment::routes())
        .merge(inventory::routes())
        .merge(live::routes())
        .merge(messaging::routes())
        .merge(parties::routes())
        .merge(pricing::routes())
        .merge(sales::routes())
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
