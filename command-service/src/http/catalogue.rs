//! The command endpoints of the catalogue.

mod assortments;
mod categories;
mod product_codes;
mod products;

use aide::axum::ApiRouter;

use crate::Services;

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .merge(assortments::routes())
        .merge(categories::routes())
        .merge(product_codes::routes())
        .merge(products::routes())
}
