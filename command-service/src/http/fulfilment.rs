//! The command endpoints of fulfilment.

mod pick_lists;
mod shipments;

use aide::axum::ApiRouter;

use crate::Services;

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new().merge(pick_lists::routes()).merge(shipments::routes())
}
