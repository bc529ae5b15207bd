//! Queries on the read models and the event history, each a function of [`app`], and their HTTP
//! API.

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

/// The dependencies of every query. Cheap to clone.
#[derive(Clone)]
pub struct Queries {
    /// The read models.
    pub views: Views,
    /// Connections to them whose statements are planned once, for the catalogue; see
    /// [`service_kit::postgres::steady_pool`].
    pub catalogue_pool: Pool,
    /// The cache of the catalogue.
    pub memory: Arc<Memory>,
    /// The event log.
    pub log: EventLog,
    /// The API keys.
    pub access: Access,
    /// The live feed.
    pub live: Live,
    /// The clock of the seller's day, which decides what is overdue.
    pub clock: Clock,
    /// The letterhead of the seller's documents; without it none are rendered.
    pub letterhead: Option<Arc<Letterhead>>,
}

impl FromRef<Queries> for Access {
    fn from_ref(queries: &Queries) -> Self {
        queries.access.clone()
    }
}
