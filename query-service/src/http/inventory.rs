//! The query endpoints of inventory.

mod stock;

use aide::axum::ApiRouter;

use crate::Queries;

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().merge(stock::routes())
}
