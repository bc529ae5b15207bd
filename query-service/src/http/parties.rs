//! The query endpoints of parties.

mod companies;
mod employees;
mod territories;

use aide::axum::ApiRouter;

use crate::Queries;

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .merge(companies::routes())
        .merge(employees::routes())
        .merge(territories::routes())
}
