//! Read models against a real PostgreSQL and a real log.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod builds;
mod buyers;
mod longest;
mod remembered;
mod runner;
mod samples;
mod set_aside;
mod stored;
mod tables;
mod trade;
mod wait;
