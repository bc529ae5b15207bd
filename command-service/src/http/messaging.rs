//! The command endpoints of messaging.

mod conversations;

use aide::axum::ApiRouter;

use crate::Services;

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new().merge(conversations::routes())
}
