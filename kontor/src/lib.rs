//! The one binary: up, serve, import, log, projections, token; embedded servers.

pub mod import;
pub mod nats;
pub mod progress;
pub mod serve;
pub mod servers;
pub mod with_servers;
