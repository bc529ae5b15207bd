//! The publisher of the relay; generic over log and stream.

use std::{sync::Arc, time::Duration};

use futures::future;
use jiff::Timestamp;
use metrics::{counter, gauge, histogram};
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    RelayState, RelayStatus,
    stream::{Extent, Log, Stream},
    tail::Tail,
};
use crate::{Error, Position, RecordedEvent, cloud_event::CloudEvent};

/// Publishes one log to one stream.
pub(crate) struct Publisher<L, S: Stream> {
    pub(super) log: L,
    server: S::Server,
    /// The prefix of all subjects.
    subject_prefix: String,
    status: watch::Sender<RelayStatus>,
}

/// The last event in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    pub(super) position: Position,
    /// `None` before the first event.
    pub(super) event_id: Option<Uuid>,
}

impl End {
    const START: Self = Self { position: Position::START, event_id: None };

    pub(super) fn at(event: &RecordedEvent) -> Self {
        Self { position: event.position, event_id: Some(event.event_id) }
    }
}

/// Messages of events that are being published.
struct Batch {
    /// When the first of them was recorded.
    recorded_at: Option<Timestamp>,
    messages: Vec<CloudEvent>,
    /// The end of the stream after them.
    end: End,
}

/// Why publishing is interrupted.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Another relay has published meanwhile: read the end of the stream again.
    Overtaken,
    /// It may recover without help: compare the stream again.
    Again(String),
    /// An operator must act.
    Halt(String),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Again(error.to_string())
    }
}

impl<L: Log, S: Stream> Publisher<L, S> {
    /// The most messages of an atomic batch that a server takes.
    const BATCH: usize = 1_000;
    /// The interval at which an idle stream is checked.
    const INSPECTION: Duration = Duration::from_secs(5);
    /// The same while commands are suspended until the check.
    const INSPECTION_IF_SUSPENDED: Duration = Duration::from_millis(100);

    /// Publishes nothing yet.
    pub(crate) fn new(log: L, server: S::Server, subject_prefix: String) -> Self {
        let status = RelayStatus { state: RelayState::Connecting, published: Position::START };
        Self { log, server, subject_prefix, status: watch::Sender::new(status) }
    }

    pub(crate) fn status(&self) -> watch::Receiver<RelayStatus> {
        self.status.subscribe()
    }

    pub(crate) async fn publish_for_ever(&self) {
        let mut pause = Duration::from_millis(50);
        loop {
            let before = self.published();
            let Err(stop) = self.session().await else { continue };
            if self.published() > before {
                pause = Duration::from_millis(50);
            }
            match stop {
                Stop::Overtaken => {
                    tracing::debug!("another relay was faster");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Stop::Again(reason) => {
                    counter!("kontor_relay_reconnects_total").increment(1);
                    tracing::warn!(reason, "the relay starts again");
                    self.announce(RelayState::Connecting, before.max(self.published()));
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
                Stop::Halt(reason) => {
                    counter!("kontor_relay_reconnects_total").increment(1);
                    if !matches!(self.status.borrow().state, RelayState::Halted { .. }) {
                        tracing::error!(reason, "the relay halts: the stream is not this history");
                    }
                    self.announce(RelayState::Halted { reason }, self.published());
                    // After a repair by an operator it continues without a restart.
                    tokio::time::sleep(Self::INSPECTION).await;
                }
            }
        }
    }

    /// Finds out where the stream ends, then publishes what follows until something is not as
    /// expected.
    async fn session(&self) -> Result<(), Stop> {
        let stream = S::open(&self.server).await?;
        let mut last = self.inspect(&stream).await?;
        let mut reached = self.log.reached();
        let mut inspected = tokio::time::Instant::now();
        let mut batch = self.batch(last).await?;
        loop {
            if batch.messages.is_empty() {
                self.announce(RelayState::Live, last.position);
                reached.mark_unchanged();
                batch = self.batch(last).await?;
                if !batch.messages.is_empty() {
                    continue;
                }
                let until = if self.log.is_suspended() {
                    tokio::time::Instant::now() + Self::INSPECTION_IF_SUSPENDED
                } else {
                    inspected + Self::INSPECTION
                };
                // An error means that the log is closed, so there are no new events.
                if let Ok(Err(_)) = tokio::time::timeout_at(until, reached.changed()).await {
                    tokio::time::sleep_until(until).await;
                }
                if inspected.elapsed() >= Self::INSPECTION || self.log.is_suspended() {
                    inspected = tokio::time::Instant::now();
                    last = self.inspect(&stream).await?;
                }
                batch = self.batch(last).await?;
            } else {
                let Batch { recorded_at, messages, end } = batch;
                // The next events are read and converted while these are being published.
                let publish = self.publish(&stream, messages, last.position);
                let (stored, following) = future::join(publish, self.batch(end)).await;
                stored?;
                last = end;
                batch = following?;
                if batch.messages.is_empty() {
                    record_lag(recorded_at);
                    self.announce(RelayState::Live, last.position);
                } else {
                    self.announce(RelayState::CatchingUp, last.position);
                }
            }
        }
    }

    /// The end of the stream, after a check that it agrees with the log: it is not ahead, its last
    /// message is the event of that position, and it has no gaps. Records whether the log still has
    /// all published events.
    async fn inspect(&self, stream: &S) -> Result<End, Stop> {
        let extent = stream.extent().await?;
        extent.measure();
        let last = Position(extent.last);
        if last == Position::START {
            self.log.resume();
            return Ok(End::START);
        }
        // Asked after the stream, so that what is published meanwhile is not beyond it.
        let head = self.log.head().await?;
        let agreed = match self.tail(stream, last).await? {
            Tail::Agrees(end) => {
                self.log.resume();
                Some(end)
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
        if extent.first != 1 || extent.messages != extent.last {
            return Err(Stop::Halt(format!(
                "the stream has holes: {} messages from {} to {last}; delete it, and it is built \
                 anew from the log",
                extent.messages, extent.first
            )));
        }
        agreed
            .filter(|end| end.position == last)
            .ok_or_else(|| Stop::Halt(format!("message {last} of the stream is not event {last}")))
    }

    /// The events after the end of the stream, as messages. The log must still have the event at
    /// that end; otherwise it was restored and may have diverged.
    async fn batch(&self, end: End) -> Result<Batch, Stop> {
        let overlap = usize::from(end.event_id.is_some());
        let after = Position(end.position.0 - overlap as u64);
        let most = overlap + Self::BATCH;
        let reached = *self.log.reached().borrow();
        let events = if end.position > reached {
            // Another relay has published what this process does not know of yet.
            self.log.read(after, most).await?.into_iter().map(Arc::new).collect()
        } else {
            self.log.follow(after, most).await?
        };
        let (last, events) = events.split_at(overlap.min(events.len()));
        if last.first().map(|event| event.event_id) != end.event_id {
            return Err(Stop::Again(format!("the log has lost event {}", end.position)));
        }
        let message = |event: &Arc<RecordedEvent>| CloudEvent::of(event, &self.subject_prefix);
        Ok(Batch {
            recorded_at: events.first().map(|event| event.recorded_at),
            messages: events.iter().map(message).collect(),
            end: events.last().map_or(end, |event| End::at(event)),
        })
    }

    /// Publishes events as one atomic batch that must follow `last`.
    #[tracing::instrument(level = "debug", skip_all, fields(after = %last, events = messages.len()))]
    async fn publish(
        &self,
        stream: &S,
        messages: Vec<CloudEvent>,
        last: Position,
    ) -> Result<(), Stop> {
        let count = messages.len();
        let expected = last.0 + count as u64;
        let stored = stream.publish(messages, last).await?;
        if stored != expected {
            return Err(Stop::Again(format!("the batch ends at {stored}, not {expected}")));
        }
        counter!("kontor_relay_batches_total").increment(1);
        #[allow(clippy::cast_precision_loss, reason = "a metric is a float")]
        histogram!("kontor_relay_batch_messages").record(count as f64);
        Ok(())
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

/// The delay of an event that was just published.
fn record_lag(recorded_at: Option<Timestamp>) {
    let waited = recorded_at.map(|recorded_at| recorded_at.duration_until(Timestamp::now()));
    // A writer's clock may run ahead of this one.
    let waited = waited.and_then(|waited| Duration::try_from(waited).ok()).unwrap_or_default();
    histogram!("kontor_relay_lag_seconds").record(waited);
}

impl Extent {
    #[allow(clippy::cast_precision_loss, reason = "metrics are floats")]
    fn measure(&self) {
        let span = (self.last + 1).saturating_sub(self.first);
        gauge!("kontor_stream_first_sequence").set(self.first as f64);
        gauge!("kontor_stream_last_sequence").set(self.last as f64);
        gauge!("kontor_stream_holes").set(span.saturating_sub(self.messages) as f64);
    }
}
