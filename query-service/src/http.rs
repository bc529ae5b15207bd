//! The query endpoints, one file per resource.

mod account_balances;
mod approval_rules;
mod approvals;
mod assortments;
mod catalogue;
mod categories;
mod companies;
mod discounts;
mod employees;
mod events;
mod exports;
mod invoices;
mod offers;
mod orders;
mod payments;
mod price_agreements;
mod prices;
mod product_codes;
mod products;
mod shipments;
mod stock;

use aide::axum::ApiRouter;
use service_kit::problem::Problem;

use crate::Queries;

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
        .merge(discounts::routes())
        .merge(employees::routes())
        .merge(events::routes())
        .merge(exports::routes())
        .merge(invoices::routes())
        .merge(offers::routes())
        .merge(orders::routes())
        .merge(payments::routes())
        .merge(price_agreements::routes())
        .merge(prices::routes())
        .merge(product_codes::routes())
        .merge(products::routes())
        .merge(shipments::routes())
        .merge(stock::routes())
        .with_state(queries)
}

/// The one thing that was asked for, or 404.
fn only<T>(items: Vec<T>) -> Result<axum::Json<T>, Problem> {
    items.into_iter().next().map(axum::Json).ok_or_else(Problem::not_found)
}

/// As many rows as say whether there is another page.
fn one_more(limit: usize) -> i64 {
    i64::try_from(limit + 1).unwrap_or(i64::MAX)
}
