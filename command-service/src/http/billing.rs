//! The command endpoints of billing.

mod credit_notes;
mod goods_returns;
mod payments;

use aide::axum::ApiRouter;

use crate::Services;

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .merge(credit_notes::routes())
        .merge(goods_returns::routes())
        .merge(payments::routes())
}
