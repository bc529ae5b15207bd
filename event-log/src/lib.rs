//! The one writer and reader of history: append, read, publish to JetStream, verify.
//!
//! [`EventLog::execute`] is how commands are carried out: it answers a repeated command its first
//! outcome, lets the decision load and decide ([`Work`]), and appends, asserting the version of
//! everything that was read. [`EventLog::begin`] does the same step by step, [`EventLog::append`] is
//! the bare append beneath it, and [`EventLog::store`] the same log for `cqrs_es::CqrsFramework`.
//!
//! An aggregate that is not in memory is replayed from its last snapshot on, in one query.

pub mod append;
pub mod backup;
pub mod cache;
pub mod cloud_event;
mod directory;
pub mod error;
pub mod execute;
pub mod history;
pub mod log;
pub mod metrics;
pub mod migrations;
mod pending;
pub mod read;
pub mod recorded_event;
pub mod recover;
pub mod relay;
#[cfg(test)]
mod simulation;
mod snapshots;
pub mod state_at;
pub mod stats;
pub mod store;
mod suspension;
mod tail;
mod turns;
pub mod verify;
pub mod work;
mod writer;

pub use append::{Append, Appended, Envelope, NewEvent, Outcome, StreamWrite};
pub use error::{AppendError, Error, ExecuteError};
pub use execute::{Decide, Executed};
pub use history::{Direction, Lookup};
pub use log::{EventLog, LogConfig};
pub use recorded_event::{Position, RecordedEvent};
pub use state_at::{At, PastStateError, StateAt};
pub use store::{Context, Store};
pub use work::{Loaded, Work, WorkError};
