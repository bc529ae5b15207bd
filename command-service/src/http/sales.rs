//! The command endpoints of sales.

mod approval_rules;
mod carts;
mod negotiations;
mod offer_templates;
mod offers;
mod order_lists;
mod orders;
mod quotation_requests;
mod standing_orders;

use aide::axum::ApiRouter;

use crate::Services;

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .merge(approval_rules::routes())
        .merge(carts::routes())
        .merge(negotiations::routes())
        .merge(offer_templates::routes())
        .merge(offers::routes())
        .merge(order_lists::routes())
        .merge(orders::routes())
        .merge(quotation_requests::routes())
        .merge(standing_orders::routes())
}
