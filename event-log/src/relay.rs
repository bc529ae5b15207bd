//! The relay: publishes history to `JetStream`, where a message's sequence equals the event's
//! position.
//!
//! The stream's last sequence is the only checkpoint. Every batch is atomic and names the last
//! sequence that it expects, so racing relays, retries and lost acknowledgements change nothing.

pub(crate) mod tail;
mod verify;

use std::time::Duration;

use async_nats::{
    Client, HeaderName, HeaderValue, Request,
    jetstream::{
        self,
        context::{CreateStreamErrorKind, GetStreamErrorKind},
        stream::{Config, DiscardPolicy, RetentionPolicy, State, StorageType, Stream},
    },
};
use bytes::Bytes;
use futures::future;
use jiff::Timestamp;
use metrics::{counter, gauge, histogram};
use serde::Deserialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::tail::Tail;
pub use self::verify::verify_stream;
use crate::{Error, EventLog, Position, cloud_event::CloudEvent};

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

    fn config(&self) -> Config {
        Config {
            name: self.stream.clone(),
            subjects: vec![format!("{}.>", self.subject_prefix)],
            storage: StorageType::File,
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::New,
            deny_delete: true,
            deny_purge: true,
            allow_direct: true,
            allow_atomic_publish: true,
            num_replicas: self.replicas,
            description: Some("The history of Kontor: sequence n is position n.".to_owned()),
            ..Config::default()
        }
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
    log: EventLog,
    client: Client,
    jetstream: jetstream::Context,
    config: RelayConfig,
    status: watch::Sender<RelayStatus>,
}

/// Events on their way, as messages.
struct Batch {
    /// When the first of them was recorded.
    recorded_at: Option<Timestamp>,
    messages: Vec<CloudEvent>,
}

const BATCH_ID: HeaderName = HeaderName::from_static("Nats-Batch-Id");
const BATCH_SEQUENCE: HeaderName = HeaderName::from_static("Nats-Batch-Sequence");
const BATCH_COMMIT: HeaderName = HeaderName::from_static("Nats-Batch-Commit");
const EXPECTED_LAST_SEQUENCE: HeaderName = HeaderName::from_static("Nats-Expected-Last-Sequence");

/// Why publishing stops for now.
#[derive(Debug)]
enum Stop {
    /// It may go on by itself: look at the stream again.
    Again(String),
    /// Somebody has to look.
    Halt(String),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Again(error.to_string())
    }
}

/// What `JetStream` answers to the last message of a batch.
#[derive(Deserialize)]
#[serde(untagged)]
enum Ack {
    Refused { error: AckError },
    Stored { seq: u64 },
}

#[derive(Deserialize)]
struct AckError {
    err_code: u64,
    description: String,
}

impl Relay {
    /// The most messages of an atomic batch that a server takes.
    const BATCH: usize = 1_000;
    /// More bytes than the headers of a message ever have.
    const HEADERS: usize = 8_192;
    /// How long a batch may take to be answered.
    const PATIENCE: Duration = Duration::from_secs(10);
    /// How often an idle stream is looked at.
    const INSPECTION: Duration = Duration::from_secs(5);

    /// Publishes nothing yet.
    pub fn new(log: EventLog, client: Client, config: RelayConfig) -> Self {
        let status = RelayStatus { state: RelayState::Connecting, published: Position::START };
        let mut jetstream = jetstream::new(client.clone());
        jetstream.set_timeout(Self::PATIENCE);
        Self { log, client, jetstream, config, status: watch::Sender::new(status) }
    }

    /// How it is, now and at every change.
    pub fn status(&self) -> watch::Receiver<RelayStatus> {
        self.status.subscribe()
    }

    /// Waits until the stream was compared with the log for the first time, or something else
    /// is known to be wrong with it; not for longer than `patience`.
    pub async fn looked(&self, patience: Duration) {
        let mut status = self.status();
        let looked = status.wait_for(|status| status.state != RelayState::Connecting);
        let _ = tokio::time::timeout(patience, looked).await;
    }

    /// Publishes until cancelled.
    pub async fn run(&self, cancel: CancellationToken) {
        let _ = cancel.run_until_cancelled(self.publish_for_ever()).await;
    }

    async fn publish_for_ever(&self) {
        let mut pause = Duration::from_millis(50);
        loop {
            let before = self.published();
            let Err(stop) = self.session().await else { continue };
            if self.published() > before {
                pause = Duration::from_millis(50);
            }
            counter!("kontor_relay_reconnects_total").increment(1);
            match stop {
                Stop::Again(reason) => {
                    tracing::warn!(reason, "the relay starts again");
                    self.announce(RelayState::Connecting, before.max(self.published()));
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
                Stop::Halt(reason) => {
                    if !matches!(self.status.borrow().state, RelayState::Halted { .. }) {
                        tracing::error!(reason, "the relay halts: the stream is not this history");
                    }
                    self.announce(RelayState::Halted { reason }, self.published());
                    // Somebody may mend it; then it goes on by itself.
                    tokio::time::sleep(Self::INSPECTION).await;
                }
            }
        }
    }

    /// Finds out where the stream ends, then publishes what follows until something is not as
    /// expected.
    async fn session(&self) -> Result<(), Stop> {
        let stream = self.stream().await?;
        let mut last = self.inspect(&stream).await?;
        let mut committed = self.log.committed();
        let mut inspected = tokio::time::Instant::now();
        let mut batch = self.batch(last).await?;
        loop {
            if batch.messages.is_empty() {
                self.announce(RelayState::Live, last);
                committed.mark_unchanged();
                batch = self.batch(last).await?;
                if !batch.messages.is_empty() {
                    continue;
                }
                // Other processes write too, so it looks by itself now and then.
                let _ = tokio::time::timeout(Duration::from_millis(100), committed.changed()).await;
                if inspected.elapsed() > Self::INSPECTION || self.log.suspended().is_some() {
                    inspected = tokio::time::Instant::now();
                    last = self.inspect(&stream).await?;
                }
                batch = self.batch(last).await?;
            } else {
                let recorded_at = batch.recorded_at;
                // The next ones are read and made into messages while these are on their way.
                let following = Position(last.0 + batch.messages.len() as u64);
                let (stored, following) =
                    future::join(self.publish(batch, last), self.batch(following)).await;
                last = stored?;
                batch = following?;
                if batch.messages.is_empty() {
                    record_lag(recorded_at);
                    self.announce(RelayState::Live, last);
                } else {
                    self.announce(RelayState::CatchingUp, last);
                }
            }
        }
    }

    /// The stream, made if it is missing: NATS is allowed to lose everything.
    async fn stream(&self) -> Result<Stream, Stop> {
        let wanted = self.config.config();
        let stream = match self.jetstream.get_stream(&self.config.stream).await {
            Ok(stream) => stream,
            Err(error)
                if matches!(error.kind(), GetStreamErrorKind::JetStream(ref e)
                if e.error_code() == jetstream::ErrorCode::STREAM_NOT_FOUND) =>
            {
                tracing::info!(stream = self.config.stream, "creating the stream");
                self.jetstream.create_stream(wanted.clone()).await.map_err(|error| {
                    match error.kind() {
                        CreateStreamErrorKind::JetStream(_) => Stop::Halt(error.to_string()),
                        _ => Stop::Again(error.to_string()),
                    }
                })?
            }
            Err(error) => return Err(Stop::Again(error.to_string())),
        };
        let present = &stream.cached_info().config;
        let unsafe_because = [
            (present.subjects != wanted.subjects, "it has other subjects"),
            (!present.allow_atomic_publish, "it takes no atomic batches"),
            (present.storage != StorageType::File, "it is not kept in files"),
            (present.max_messages > 0 || present.max_bytes > 0, "it has a limit"),
            (!present.max_age.is_zero(), "its messages expire"),
            (present.max_messages_per_subject > 0, "it has a limit per subject"),
            (present.retention != RetentionPolicy::Limits, "reading it deletes messages"),
        ];
        match unsafe_because.into_iter().find(|(is_so, _)| *is_so) {
            Some((_, why)) => {
                Err(Stop::Halt(format!("stream {} can lose history: {why}", self.config.stream)))
            }
            None => Ok(stream),
        }
    }

    /// Where the stream ends, after a check that it is this history so far: not ahead of the log,
    /// its last message the log's event of that position, and no holes. Takes note of whether the
    /// log still has all that was published.
    async fn inspect(&self, stream: &Stream) -> Result<Position, Stop> {
        let state = stream.get_info().await.map_err(|e| Stop::Again(e.to_string()))?.state;
        measure(&state);
        let last = Position(state.last_sequence);
        if last == Position::START {
            self.log.resume();
            return Ok(last);
        }
        // Asked after the stream, so that what is published meanwhile is not beyond it.
        let head = self.log.head().await?;
        let agreed = match self.tail(stream, last).await? {
            Tail::Agrees(position) => {
                self.log.resume();
                Some(position)
            }
            Tail::Foreign => None,
            Tail::Lost(position) => {
                let reason = if position > head {
                    format!(
                        "the stream is at {position}, ahead of the log at {head}: the log was \
                         restored to an earlier state, or the stream is another's"
                    )
                } else {
                    format!(
                        "message {position} of the stream is not event {position}: the log was \
                         restored to an earlier state and went on, or the stream is another's"
                    )
                };
                self.log.suspend(&reason);
                return Err(Stop::Halt(reason));
            }
        };
        if state.first_sequence != 1 || state.messages != state.last_sequence {
            return Err(Stop::Halt(format!(
                "the stream has holes: {} messages from {} to {last}; delete it, and it is built \
                 anew from the log",
                state.messages, state.first_sequence
            )));
        }
        if agreed != Some(last) {
            return Err(Stop::Halt(format!("message {last} of the stream is not event {last}")));
        }
        Ok(last)
    }

    /// The next events, as messages.
    async fn batch(&self, after: Position) -> Result<Batch, Stop> {
        let events = self.log.read(after, Self::BATCH).await?;
        let message = |event| CloudEvent::of(event, &self.config.subject_prefix);
        Ok(Batch {
            recorded_at: events.first().map(|event| event.recorded_at),
            messages: events.iter().map(message).collect(),
        })
    }

    /// Publishes events as one atomic batch that must follow `last`.
    #[tracing::instrument(level = "debug", skip_all, fields(after = %last, events = batch.messages.len()))]
    async fn publish(&self, batch: Batch, last: Position) -> Result<Position, Stop> {
        let id = Uuid::now_v7().simple().to_string();
        let count = batch.messages.len();
        let expected = last.0 + count as u64;
        let most = self.client.server_info().max_payload;
        for (sequence, message) in (1_u64..).zip(batch.messages) {
            let CloudEvent { subject, mut headers, data } = message;
            if data.len() + Self::HEADERS > most {
                return Err(Stop::Halt(format!(
                    "event {} is larger than the max_payload of {most} that NATS is set to",
                    last.0 + sequence
                )));
            }
            headers.insert(BATCH_ID, id.as_str());
            headers.insert(BATCH_SEQUENCE, HeaderValue::from(sequence));
            if sequence == 1 {
                headers.insert(EXPECTED_LAST_SEQUENCE, HeaderValue::from(last.0));
            }
            if sequence < count as u64 {
                self.client
                    .publish_with_headers(subject, headers, data)
                    .await
                    .map_err(|error| Stop::Again(error.to_string()))?;
                continue;
            }
            headers.insert(BATCH_COMMIT, "1");
            let request =
                Request::new().headers(headers).payload(data).timeout(Some(Self::PATIENCE));
            let answer = self
                .client
                .send_request(subject, request)
                .await
                .map_err(|error| Stop::Again(error.to_string()))?;
            let stored = stored(&answer.payload)?;
            if stored != expected {
                return Err(Stop::Again(format!("the batch ends at {stored}, not {expected}")));
            }
        }
        counter!("kontor_relay_batches_total").increment(1);
        #[allow(clippy::cast_precision_loss, reason = "a metric is a float")]
        histogram!("kontor_relay_batch_messages").record(count as f64);
        Ok(Position(expected))
    }

    fn published(&self) -> Position {
        self.status.borrow().published
    }

    fn announce(&self, state: RelayState, published: Position) {
        #[allow(clippy::cast_precision_loss, reason = "a metric is a float")]
        let (at, head) = (published.0 as f64, self.log.committed().borrow().0 as f64);
        let halted = matches!(state, RelayState::Halted { .. });
        gauge!("kontor_relay_published_position").set(at);
        gauge!("kontor_relay_lag_events").set((head - at).max(0.0));
        gauge!("kontor_relay_halted").set(if halted { 1.0 } else { 0.0 });
        let status = RelayStatus { state, published };
        self.status.send_if_modified(|present| {
            let changed = *present != status;
            *present = status;
            changed
        });
    }
}

/// How long an event that was just published has waited.
fn record_lag(recorded_at: Option<Timestamp>) {
    let waited = recorded_at.map(|recorded_at| recorded_at.duration_until(Timestamp::now()));
    // A writer's clock may run ahead of this one.
    let waited = waited.and_then(|waited| Duration::try_from(waited).ok()).unwrap_or_default();
    histogram!("kontor_relay_lag_seconds").record(waited);
}

#[allow(clippy::cast_precision_loss, reason = "metrics are floats")]
fn measure(state: &State) {
    let span = (state.last_sequence + 1).saturating_sub(state.first_sequence);
    gauge!("kontor_stream_first_sequence").set(state.first_sequence as f64);
    gauge!("kontor_stream_last_sequence").set(state.last_sequence as f64);
    gauge!("kontor_stream_holes").set(span.saturating_sub(state.messages) as f64);
}

/// The sequence at which a batch was stored.
fn stored(answer: &Bytes) -> Result<u64, Stop> {
    match serde_json::from_slice(answer) {
        Ok(Ack::Stored { seq }) => Ok(seq),
        Ok(Ack::Refused { error }) => {
            Err(Stop::Again(format!("{} ({})", error.description, error.err_code)))
        }
        Err(error) => Err(Stop::Again(format!("an acknowledgement that is none: {error}"))),
    }
}
