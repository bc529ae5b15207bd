//! What the writer asks of PostgreSQL: a seam, so that the same writer runs against a model of it.

use std::collections::HashMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Advance,
    batch::{Batch, Remembered},
};
use crate::{Error, Position};

/// A connection of the writer's own, with what it knows of the head.
pub(crate) trait Session: Sized + Send + 'static {
    /// Where it connects to.
    type Server: Send + Sync + 'static;
    /// What the server says when it fails.
    type Error: std::error::Error + Into<Error> + Send + Sync + 'static;

    /// Connects, and finds out where the log ends.
    fn open(server: &Self::Server) -> impl Future<Output = Attempt<Self, Self>> + Send;

    /// Whether the connection is known to be gone.
    fn is_closed(&self) -> bool;

    /// The head of the log when it was last read or written.
    fn head(&self) -> Head;

    /// Waits for what another connection has under way and makes its epoch a past one.
    fn fence(&mut self) -> impl Future<Output = Attempt<Self>> + Send;

    /// Whether the batch, sent after `head`, is in the log.
    fn holds(
        &mut self,
        batch: &Batch,
        head: Position,
    ) -> impl Future<Output = Attempt<Self, bool>> + Send;

    /// Begins a transaction that nobody else can write beside.
    fn lock_head(&mut self) -> impl Future<Output = Attempt<Self, Head>> + Send;

    /// The versions of those of the streams that exist.
    fn versions(
        &mut self,
        streams: &[Uuid],
    ) -> impl Future<Output = Attempt<Self, HashMap<Uuid, u64>>> + Send;

    /// What was answered to those of the commands that were executed.
    fn outcomes(
        &mut self,
        command_ids: &[Uuid],
    ) -> impl Future<Output = Attempt<Self, HashMap<Uuid, Remembered>>> + Send;

    /// Writes what the batch has accepted and commits it.
    fn commit(
        &mut self,
        batch: &mut Batch,
        advance: Advance,
        now: Timestamp,
    ) -> impl Future<Output = Attempt<Self>> + Send;

    /// Ends a transaction without a trace.
    fn rollback(&mut self) -> impl Future<Output = Attempt<Self>> + Send;

    /// Frees the head from writers that have fallen silent.
    fn evict(&mut self) -> impl Future<Output = Attempt<Self>> + Send;
}

/// What came of asking.
pub(crate) type Attempt<S, T = ()> = Result<T, Failure<<S as Session>::Error>>;

/// Where the log ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) position: Position,
    pub(crate) epoch: i64,
    /// When the newest event was recorded.
    pub(crate) recorded_at: Timestamp,
}

/// Why an attempt came to nothing.
#[derive(Debug)]
pub(crate) enum Failure<E> {
    /// Another process wrote since.
    Overtaken,
    /// A stream or command id was not what it was believed to be.
    Mistaken(E),
    /// A stream may not be at the version that this task knows.
    Doubtful,
    /// The log takes no commands, for this reason.
    Suspended(String),
    /// Another writer has kept the head for long.
    Blocked,
    /// PostgreSQL refused the transaction for another reason.
    Refused(E),
    /// The connection broke: what became of the transaction is not known.
    Lost(E),
    /// PostgreSQL did not answer in time: what will become of the transaction is not known.
    Silent,
}
