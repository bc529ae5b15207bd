//! The query endpoints of billing.

mod account_balances;
mod bought_products;
mod goods_returns;
mod invoices;
mod payments;

use aide::axum::ApiRouter;

use crate::Queries;

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .merge(account_balances::routes())
        .merge(bought_products::routes())
        .merge(goods_returns::routes())
        .merge(invoices::routes())
        .merge(payments::routes())
}
