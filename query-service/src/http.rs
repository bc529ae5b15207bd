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
use service_kit::problem::{FieldError, Problem};

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

/// As many rows as say whether there is another page.
fn one_more(limit: usize) -> i64 {
    i64::try_from(limit + 1).unwrap_or(i64::MAX)
}
