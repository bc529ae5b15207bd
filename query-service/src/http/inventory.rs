//! The query endpoints of inventory.

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
