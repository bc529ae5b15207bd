//! What the relay asks of the log and of the stream: seams, so that the same relay runs against
//! models of both.

use std::sync::Arc;

use tokio::sync::watch;

use super::publisher::Stop;
use crate::{Error, EventLog, Position, RecordedEvent, cloud_event::CloudEvent};

/// The history that is published.
pub(crate) trait Log: Send + Sync {
    /// Wakes at every commit of this process, with the position reached.
    fn committed(&self) -> watch::Receiver<Position>;

    /// The position of the newest event.
    fn head(&self) -> impl Future<Output = Result<Position, Error>> + Send;

    /// Up to `limit` events after a position, in order.
    fn read(
        &self,
        after: Position,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<RecordedEvent>, Error>> + Send;

    /// Wakes when there are events to [`Log::follow`], with the last position.
    fn reached(&self) -> watch::Receiver<Position> {
        self.committed()
    }

    /// Up to `limit` events after a position, in order, as far as it has reached.
    fn follow(
        &self,
        after: Position,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Arc<RecordedEvent>>, Error>> + Send {
        async move { Ok(self.read(after, limit).await?.into_iter().map(Arc::new).collect()) }
    }

    /// Whether the log is known to have lost its end.
    fn is_suspended(&self) -> bool;

    /// Takes no commands until resumed.
    fn suspend(&self, reason: &str);

    /// Takes commands again.
    fn resume(&self);
}

/// The stream to which it is published.
pub(crate) trait Stream: Sized + Send + Sync {
    /// Where it is kept.
    type Server: Send + Sync;

    /// Finds the stream, or makes it if it is missing: NATS is allowed to lose everything. Halts
    /// at one that could lose history.
    fn open(server: &Self::Server) -> impl Future<Output = Result<Self, Stop>> + Send;

    /// Where it begins and ends.
    fn extent(&self) -> impl Future<Output = Result<Extent, Stop>> + Send;

    /// The event that a message is; `None` when the message is missing or no event of that place.
    fn event_at(
        &self,
        sequence: u64,
    ) -> impl Future<Output = Result<Option<RecordedEvent>, Stop>> + Send;

    /// Stores messages, all or none, if they follow `last`; says the sequence of the last one.
    fn publish(
        &self,
        messages: Vec<CloudEvent>,
        last: Position,
    ) -> impl Future<Output = Result<u64, Stop>> + Send;
}

/// Where a stream begins and ends; 0 and 0 when it is empty.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// How many messages there are.
    pub(crate) messages: u64,
}

impl Log for EventLog {
    fn committed(&self) -> watch::Receiver<Position> {
        Self::committed(self)
    }

    async fn head(&self) -> Result<Position, Error> {
        Self::head(self).await
    }

    async fn read(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, Error> {
        Self::read(self, after, limit).await
    }

    fn reached(&self) -> watch::Receiver<Position> {
        Self::reached(self)
    }

    async fn follow(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, Error> {
        Self::follow(self, after, limit).await
    }

    fn is_suspended(&self) -> bool {
        self.suspended().is_some()
    }

    fn suspend(&self, reason: &str) {
        Self::suspend(self, reason);
    }

    fn resume(&self) {
        Self::resume(self);
    }
}
