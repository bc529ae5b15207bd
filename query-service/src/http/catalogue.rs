//! The query endpoints of the catalogue.

mod assortments;
#[allow(clippy::module_inception, reason = "the context is named after its main resource")]
mod catalogue;
mod categories;
mod product_codes;
mod products;

use aide::axum::ApiRouter;

use crate::Queries;

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .merge(assortments::routes())
        .merge(catalogue::routes())
        .merge(categories::routes())
        .merge(product_codes::routes())
        .merge(products::routes())
}
