//! The event log against a real PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod account;
mod append;
mod append_only;
mod backup;
mod faults;
mod history;
mod hot;
mod model;
mod plans;
mod read_of;
mod recover;
mod relay;
mod server;
mod snapshots;
mod store;
mod tail;
mod work;
mod writers;
