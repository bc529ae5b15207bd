//! The command endpoints of sales.

mod approval_rules;
mod negotiations;
mod offer_templates;
mod offers;
mod orders;
mod quotation_requests;

use aide::axum::ApiRouter;

use crate::Services;

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .merge(approval_rules::routes())
        .merge(negotiations::routes())
        .merge(offer_templates::routes())
        .merge(offers::routes())
        .merge(orders::routes())
        .merge(quotation_requests::routes())
}
