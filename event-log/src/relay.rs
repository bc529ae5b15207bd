//! The relay: publishes history to `JetStream`, where a message's sequence equals the event's
//! position.
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

/// How history travels.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// The stream's name.
    pub stream: String,
    /// What every subject begins with.
    pub subject_prefix: String,
    /// On how many servers of a cluster it is kept.
    pub replicas: usize,
}

impl RelayConfig {
    /// Subjects below `kontor.`, kept on one server.
    pub fn new(stream: impl Into<String>) -> Self {
        Self { stream: stream.into(), subject_prefix: "kontor".to_owned(), replicas: 1 }
    }
}

/// How the relay is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayState {
    /// NATS or PostgreSQL does not answer yet.
    Connecting,
    /// It publishes what is missing.
    CatchingUp,
    /// All of history is published.
    Live,
    /// The stream is not this history: somebody has to look. Nothing is published or overwritten.
    Halted {
        /// Why.
        reason: String,
    },
}

/// How the relay is, and how far it has got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayStatus {
    /// How it is.
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

    /// How it is, now and at every change.
    pub fn status(&self) -> watch::Receiver<RelayStatus> {
        self.publisher.status()
    }

    /// Waits until the stream was compared with the log for the first time, or something else
    /// is known to be wrong with it; not for longer than `patience`.
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
