//! Read models: each a file that says its tables, how each event changes them, and what can be
//! asked of them.
//!
//! All tables live in PostgreSQL schema `view`, which can be dropped and rebuilt from the log.

mod applying;
pub mod aside;
mod build;
pub mod buyer;
pub mod changed;
mod checkpoints;
mod database;
pub mod document_number;
mod follower;
pub mod heads;
mod lease;
pub mod metrics;
mod progress;
pub mod projection;
pub mod rebuild;
pub mod remembered;
pub mod row;
pub mod runner;
#[cfg(test)]
mod simulation;
pub mod views;
pub mod wait;
pub mod words;

pub use aside::SetAside;
pub use checkpoints::keep_checkpoints;
pub use document_number::DocumentNumber;
pub use projection::{Change, Projection};
pub use remembered::Remembered;
pub use row::ReadError;
pub use runner::{State, Status, Views};
