//! The query endpoints of fulfilment.

mod shipments;

use aide::axum::ApiRouter;

use crate::Queries;

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().merge(shipments::routes())
}
