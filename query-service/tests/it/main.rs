//! Queries, over HTTP and without it, against a real PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod history;
mod live;
mod shop;
mod without_http;
