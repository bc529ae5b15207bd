//! The common part of fault tests of several crates: a connection that breaks on request, seeded
//! simulations, and the duration of faults.
//!
//! The black-box tests of the whole program are in `tests/it`.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

pub mod simulation;
pub mod torture;
pub mod wire;
