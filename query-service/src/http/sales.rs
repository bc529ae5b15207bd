//! The query endpoints of sales.

mod approval_rules;
mod approvals;
mod inboxes;
mod negotiations;
mod offer_statistics;
mod offer_templates;
mod offers;
mod orders;
mod quotation_requests;

use aide::axum::ApiRouter;

use crate::Queries;

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .merge(approval_rules::routes())
        .merge(approvals::routes())
        .merge(inboxes::routes())
        .merge(negotiations::routes())
        .merge(offer_statistics::routes())
        .merge(offer_templates::routes())
        .merge(offers::routes())
        .merge(orders::routes())
        .merge(quotation_requests::routes())
}
