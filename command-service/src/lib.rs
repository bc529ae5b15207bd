//! HTTP in, command out: authenticate, load, decide, append; policies and timers.

pub mod app;
pub mod caller;
pub mod failure;
pub mod http;
mod imports;
pub mod metrics;
pub mod policies;
mod policy_checkpoints;
pub mod policy_refusals;
mod policy_runner;
pub mod timers;

use axum::extract::FromRef;
use event_log::EventLog;
use projections::Views;
use service_kit::{access::Access, clock::Clock};

pub use http::router;

/// What every handler and policy works with. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// History.
    pub log: EventLog,
    /// Read models, for the facts that decisions need.
    pub views: Views,
    /// API keys.
    pub access: Access,
    /// What day it is.
    pub clock: Clock,
}

impl FromRef<Services> for Access {
    fn from_ref(services: &Services) -> Self {
        services.access.clone()
    }
}
