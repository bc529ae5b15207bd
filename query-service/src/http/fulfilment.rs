//! The query endpoints of fulfilment.

mod despatch_advice;
mod pick_lists;
mod pick_queue;
mod shipments;

use aide::axum::ApiRouter;

use crate::Queries;

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .merge(despatch_advice::routes())
        .merge(pick_lists::routes())
        .merge(pick_queue::routes())
        .merge(shipments::routes())
}
