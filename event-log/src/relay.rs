//! The relay: publishes events to `JetStream`, where the sequence of a message equals the position
//! of its event.
//!
//! The stream's last sequence is the only checkpoint. Every batch is atomic and names the last
//! sequence that it expects, so racing relays, retries and lost acknowledgements change nothing.

mod jetstream;
pub(crate) mod publisher;
pub(crate) mod stream;
pub(crate) mod tail;
mod verify;

use std::time::Duration;

use async_nats::Client;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use self::verify::verify_stream;
use self::{
    jetstream::{JetStream, Server},
    publisher::Publisher,
};
use crate::{EventLog, Position};

/// The configuration of the relay.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// The stream's name.
    pub stream: String,
    /// The prefix of all subjects.
    pub subject_prefix: String,
    /// The number of replicas.
    pub replicas: usize,
}

impl RelayConfig {
    /// Subjects below `kontor.`, one replica.
    pub fn new(stream: impl Into<String>) -> Self {
        Self { stream: stream.into(), subject_prefix: "kontor".to_owned(), replicas: 1 }
    }
}

/// The state of the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayState {
    /// Waits for NATS or PostgreSQL.
    Connecting,
    /// Publishes missing events.
    CatchingUp,
    /// All events are published.
    Live,
    /// Halted: the stream is not a copy of the log, and an operator must act. Nothing is published
    /// or overwritten.
    Halted {
        /// Why.
        reason: String,
    },
}

/// The state and progress of the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayStatus {
    /// The state.
    pub state: RelayState,
    /// The last position in the stream.
    pub published: Position,
}

/// Publishes one log to one stream.
pub struct Relay {
    publisher: Publisher<EventLog, JetStream>,
}

impl Relay {
    /// Publishes nothing yet.
    pub fn new(log: EventLog, client: Client, config: RelayConfig) -> Self {
        let prefix = config.subject_prefix.clone();
        Self { publisher: Publisher::new(log, Server::new(client, config), prefix) }
    }

    /// The state, now and at every change.
    pub fn status(&self) -> watch::Receiver<RelayStatus> {
        self.publisher.status()
    }

    /// Waits until the stream was compared with the log for the first time or an error is known,
    /// for at most `patience`.
    pub async fn compared(&self, patience: Duration) {
        let mut status = self.status();
        let compared = status.wait_for(|status| status.state != RelayState::Connecting);
        let _ = tokio::time::timeout(patience, compared).await;
    }

    /// Publishes until cancelled; it needs the tail of the log, and keeps it if nobody else does.
    pub async fn run(&self, cancel: CancellationToken) {
        let publish = Box::pin(async {
            tokio::select! {
                () = self.publisher.publish_for_ever() => {}
                () = self.publisher.log.keep_tail() => {}
            }
        });
        let _ = cancel.run_until_cancelled(publish).await;
    }
}
