//! The one binary: up, serve, import, log, projections, token; embedded servers.

pub mod nats;
pub mod progress;
pub mod servers;
pub mod with_servers;
