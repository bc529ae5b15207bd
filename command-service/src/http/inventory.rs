//! The command endpoints of inventory.

mod stock;

use aide::axum::ApiRouter;

use crate::Services;

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new().merge(stock::routes())
}
