//! HTTP in, command out: authenticate, load, decide, append; policies and timers.

mod approvals;
pub mod caller;
mod category_paths;
mod company_hierarchy;
pub mod failure;
pub mod http;
mod imports;
mod lines;
pub mod metrics;
mod negotiating;
mod offering;
mod ordering;
pub mod policies;
mod policy_checkpoints;
pub mod policy_refusals;
mod policy_runner;
mod pricing_context;
mod quotation_lines;
mod representatives;
pub mod timers;
mod trees;
pub mod white_list;

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
