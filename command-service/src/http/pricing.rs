//! The command endpoints of pricing.

mod discounts;
mod price_agreements;

use aide::axum::ApiRouter;

use crate::Services;

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new().merge(discounts::routes()).merge(price_agreements::routes())
}
