//! The end of the stream: what of it is history, and whether the log still has it.

use async_nats::jetstream::stream::{LastRawMessageErrorKind, Stream};

use super::{
    publisher::{End, Publisher, Stop},
    stream::{self, Log},
};
use crate::{Error, Position, RecordedEvent, cloud_event::CloudEvent};

/// How many foreign messages at the end of a stream are passed over at most.
const FOREIGN: u64 = 100;

/// What the end of a stream says about the log.
pub(super) enum Tail {
    /// The newest event of the stream is the log's at its position.
    Agrees(End),
    /// The log does not have it: it lost its end, or has gone on from there another way.
    Lost(Position),
    /// There is no event among the last messages.
    Foreign,
}

/// The event that a message of the stream is; `None` when the message is missing or no event of
/// that place.
pub(crate) async fn event_at(
    stream: &Stream,
    sequence: u64,
    prefix: &str,
) -> Result<Option<RecordedEvent>, String> {
    match stream.get_raw_message(sequence).await {
        Ok(message) => {
            let (subject, headers) = (message.subject.as_str(), &message.headers);
            let event = CloudEvent::recorded(subject, headers, &message.payload, prefix);
            Ok(event.filter(|event| event.position.0 == sequence))
        }
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// The log's event at a position.
pub(crate) async fn recorded_at(
    log: &impl Log,
    position: Position,
) -> Result<Option<RecordedEvent>, Error> {
    Ok(log
        .read(Position(position.0 - 1), 1)
        .await?
        .pop()
        .filter(|event| event.position == position))
}

impl<L: Log, S: stream::Stream> Publisher<L, S> {
    /// Compares the newest event of the stream with the log. Ids are never used twice, so if that
    /// one is the same, all before it are.
    pub(super) async fn tail(&self, stream: &S, last: Position) -> Result<Tail, Stop> {
        for sequence in (last.0.saturating_sub(FOREIGN)..=last.0).rev().take_while(|&at| at > 0) {
            let Some(event) = stream.event_at(sequence).await? else { continue };
            let agrees = recorded_at(&self.log, event.position).await?.as_ref() == Some(&event);
            return Ok(if agrees {
                Tail::Agrees(End::at(&event))
            } else {
                Tail::Lost(event.position)
            });
        }
        Ok(Tail::Foreign)
    }
}
