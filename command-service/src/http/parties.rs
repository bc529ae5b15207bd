//! The command endpoints of parties.

mod api_keys;
mod companies;
mod employees;
mod territories;

use aide::axum::ApiRouter;

use crate::Services;

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .merge(api_keys::routes())
        .merge(companies::routes())
        .merge(employees::routes())
        .merge(territories::routes())
}
