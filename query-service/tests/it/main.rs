//! Queries over HTTP against a real PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod history;
mod live;
mod shop;
