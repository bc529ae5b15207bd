//! The query endpoints of sales.

mod approval_rules;
mod approvals;
mod carts;
mod credit_accounts;
mod inboxes;
mod late_orders;
mod negotiations;
mod offer_statistics;
mod offer_templates;
mod offers;
mod order_lists;
mod order_timeline;
mod orders;
mod quotation_requests;
mod standing_orders;

use aide::axum::ApiRouter;

use crate::Queries;

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .merge(approval_rules::routes())
        .merge(approvals::routes())
        .merge(carts::routes())
        .merge(credit_accounts::routes())
        .merge(inboxes::routes())
        .merge(late_orders::routes())
        .merge(negotiations::routes())
        .merge(offer_statistics::routes())
        .merge(offer_templates::routes())
        .merge(offers::routes())
        .merge(order_timeline::routes())
        .merge(order_lists::routes())
        .merge(orders::routes())
        .merge(quotation_requests::routes())
        .merge(standing_orders::routes())
}
