//! Queries of the inventory context, one file per resource.

mod backorders;
mod stock;
mod stock_levels;
mod warehouses;

use aide::axum::ApiRouter;

use crate::Queries;

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .merge(backorders::routes())
        .merge(stock::routes())
        .merge(stock_levels::routes())
        .merge(warehouses::routes())
}
