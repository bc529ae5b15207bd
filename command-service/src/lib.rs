//! Use cases and their callers: HTTP commands, imports, policies and timers.

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

pub use app::Services;
pub use http::router;
