//! The query endpoints of pricing.

mod discounts;
mod price_agreements;
mod prices;

use aide::axum::ApiRouter;

use crate::Queries;

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .merge(discounts::routes())
        .merge(price_agreements::routes())
        .merge(prices::routes())
}
