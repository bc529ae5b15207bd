//! Compares a stream with the log, message by message.

use async_nats::jetstream::{self, consumer::pull::OrderedConfig};
use futures::StreamExt;

use crate::{EventLog, Position, cloud_event::CloudEvent};

/// How many events are compared with one read of the log.
const PAGE: usize = 1_000;

/// Checks that message n of the stream is event n of the log, byte for byte, for every n up to
/// `up_to`. Says what is wrong first, or nothing.
pub async fn verify_stream(
    log: &EventLog,
    jetstream: &jetstream::Context,
    stream: &str,
    prefix: &str,
    up_to: Position,
) -> Result<Option<String>, Box<dyn std::error::Error + Send + Sync>> {
    let stream = jetstream.get_stream(stream).await?;
    let state = stream.get_info().await?.state;
    if state.last_sequence < up_to.0 || state.messages < up_to.0 {
        return Ok(Some(format!(
            "the stream has {} messages up to {}, the log {up_to}",
            state.messages, state.last_sequence
        )));
    }
    let mut messages = stream.create_consumer(OrderedConfig::default()).await?.messages().await?;
    let mut position = Position::START;
    while position < up_to {
        for event in log.read(position, PAGE).await? {
            if event.position > up_to {
                break;
            }
            position = event.position;
            let message = messages.next().await.ok_or("the stream ended")??;
            let sequence = message.info()?.stream_sequence;
            let headers = message.headers.clone().unwrap_or_default();
            let same = CloudEvent::of(&event, prefix).matches(
                &message.subject,
                &headers,
                &message.payload,
            );
            if sequence != position.0 || !same {
                return Ok(Some(format!("message {sequence} is not event {position}")));
            }
        }
    }
    Ok(None)
}
