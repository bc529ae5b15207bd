//! Read models against a real PostgreSQL and a real log.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod remembered;
mod runner;
mod samples;
mod trade;
