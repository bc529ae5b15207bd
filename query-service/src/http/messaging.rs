//! The query endpoints of messaging.

mod conversations;

use aide::axum::ApiRouter;

use crate::Queries;

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().merge(conversations::routes())
}
