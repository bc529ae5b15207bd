//! The query endpoints, by bounded context, one file per resource.

mod billing;
mod catalogue;
mod events;
mod exports;
mod fulfilment;
mod inventory;
mod live;
mod messaging;
mod parties;
mod pricing;
mod sales;

use aide::axum::ApiRouter;
use axum::middleware;

use crate::{Queries, left_out};

/// Every query endpoint.
pub fn router(queries: Queries) -> ApiRouter {
    ApiRouter::new()
        .merge(billing::routes())
        .merge(catalogue::routes())
        .merge(events::routes())
        .merge(exports::routes())
        .merge(fulfilment::routes())
        .merge(inventory::routes())
        .merge(live::routes())
        .merge(messaging::routes())
        .merge(parties::routes())
        .merge(pricing::routes())
        .merge(sales::routes())
        .with_state(queries)
        .layer(middleware::from_fn(left_out::mark))
}
