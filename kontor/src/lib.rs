//! The one binary: up, serve, import, log, policies, projections, token; embedded servers.

pub mod api;
pub mod import;
pub mod instance;
pub mod letterhead;
pub mod limits;
pub mod location;
pub mod log;
pub mod nats;
pub mod policies;
pub mod progress;
pub mod projections;
pub mod run_file;
pub mod seed;
pub mod serve;
pub mod servers;
pub mod token;
pub mod up;
pub mod white_list;
pub mod with_servers;
