//! Queries of the inventory context, one file per resource.

mod stock;

use aide::axum::ApiRouter;

use crate::Queries;

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().merge(stock::routes())
}
