//! Questions over the read models and history, each a function of [`app`], and their HTTP API.

pub mod app;
mod asker;
mod catalogue_context;
pub mod documents;
pub mod http;
mod left_out;
pub mod live;
pub mod metrics;
mod reading;
mod replay;

use std::sync::Arc;

use axum::extract::FromRef;
use deadpool_postgres::Pool;
use event_log::EventLog;
use projections::Views;
use service_kit::{access::Access, clock::Clock};

pub use asker::Asker;
pub use documents::Letterhead;
pub use http::router;
pub use left_out::SET_ASIDE;
pub use live::Live;
pub use reading::Memory;

/// What every query works with. Cheap to clone.
#[derive(Clone)]
pub struct Queries {
    /// Read models.
    pub views: Views,
    /// Connections to them whose statements are planned once, for the catalogue; see
    /// [`service_kit::postgres::steady_pool`].
    pub catalogue_pool: Pool,
    /// What was read through them lately.
    pub memory: Arc<Memory>,
    /// History.
    pub log: EventLog,
    /// API keys.
    pub access: Access,
    /// What has just happened, for those who watch.
    pub live: Live,
    /// The seller's day, which decides what is overdue.
    pub clock: Clock,
    /// What stands at the head of the seller's documents; there are none without it.
    pub letterhead: Option<Arc<Letterhead>>,
}

impl FromRef<Queries> for Access {
    fn from_ref(queries: &Queries) -> Self {
        queries.access.clone()
    }
}
