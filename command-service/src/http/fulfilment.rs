//! The command endpoints of fulfilment.

mod shipments;

use aide::axum::ApiRouter;

use crate::Services;

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new().merge(shipments::routes())
}
