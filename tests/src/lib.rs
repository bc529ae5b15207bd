//! What the fault tests of several crates share: a connection that breaks on command, seeded
//! lives in virtual time, and for how long to torture.
//!
//! The black-box tests of the whole program are in `tests/it`.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

pub mod simulation;
pub mod torture;
pub mod wire;
