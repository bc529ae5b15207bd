//! Queries: one function each, by bounded context.
//!
//! A function takes the asker and the query, and returns plain data or a [`Problem`]. It checks the
//! role and restricts the result to the asker's company itself, so every front end in this process
//! has the same authorisation. It does not depend on HTTP.

pub mod billing;
pub mod catalogue;
pub mod events;
pub mod exports;
pub mod fulfilment;
pub mod inventory;
pub mod messaging;
pub mod parties;
pub mod pricing;
pub mod sales;

use std::{fmt::Display, str::FromStr};

use domain::EmployeeId;
use projections::DocumentNumber;
use service_kit::{
    page::Page,
    problem::{FieldError, Problem, StatusCode},
};

use crate::asker::Asker;

/// The single item, or 404.
fn only<T>(items: Vec<T>) -> Result<T, Problem> {
    items.into_iter().next().ok_or_else(Problem::not_found)
}

/// The problem of a parameter that names something missing.
fn names_nothing(parameter: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "query.names_nothing")
        .field(FieldError::parameter(parameter, detail))
}

/// The problem of a parameter with an invalid value.
fn invalid(parameter: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "query.invalid")
        .field(FieldError::parameter(parameter, detail))
}

/// The employee who asks with `mine`, or a problem with this code.
fn own(asker: &Asker, code: &'static str) -> Result<EmployeeId, Problem> {
    asker.employee().ok_or_else(|| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code)
            .field(FieldError::parameter("mine", "needs the key of an employee"))
    })
}

/// A code in the normal form of the domain, as in commands. An invalid code is kept as it is, and
/// matches nothing.
fn stored_form<T: FromStr + Display>(code: Option<String>) -> Option<String> {
    code.map(|code| code.parse::<T>().map_or(code, |parsed| parsed.to_string()))
}

/// The cursor for a list restricted to one document number: the document begins at a known
/// position, so it is the first one before the next position.
fn before(number: Option<DocumentNumber>, cursor: Option<i64>) -> Option<i64> {
    number.map_or(cursor, |number| Some(number.began() + 1))
}

/// A page, or only the document with a number.
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

/// One row more than the page, to know whether there is another page.
fn one_more(limit: usize) -> i64 {
    i64::try_from(limit + 1).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use domain::{Reference, Sku};

    use super::*;

    #[test]
    fn a_code_is_looked_for_as_it_is_stored() {
        let sku = |text: &str| stored_form::<Sku>(Some(text.to_owned())).unwrap();
        assert_eq!(sku(" BL-22 "), "BL-22");
        assert_eq!(sku("ＢＬ－２２"), "BL-22");
        assert_eq!(sku("bl-22"), "bl-22", "case matters");
        assert_eq!(sku(" "), " ", "is not a SKU, so it matches nothing");
        let reference = stored_form::<Reference>(Some(" K-1\u{a0}".to_owned()));
        assert_eq!(reference.as_deref(), Some("K-1"));
        assert_eq!(stored_form::<Sku>(None), None);
    }
}
