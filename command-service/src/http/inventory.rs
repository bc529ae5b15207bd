//! The command endpoints of inventory.

mod stock;
mod warehouses;

use aide::axum::ApiRouter;

use crate::Services;

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new().merge(stock::routes()).merge(warehouses::routes())
}
