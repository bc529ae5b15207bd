//! Compares a stream with the log, message by message.

use std::time::Duration;

use async_nats::jetstream::{self, consumer::pull::OrderedConfig};
use futures::StreamExt;

use super::{RelayConfig, jetstream::why_unsafe};
use crate::{EventLog, Position, cloud_event::CloudEvent};

/// How many events are compared with one read of the log.
const PAGE: usize = 1_000;
/// How long the next message may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Checks that the stream is the log: it can lose nothing, message n is event n, byte for byte, it
/// goes at least up to `up_to`, and there is no other message. Says what is wrong first, or nothing.
pub async fn verify_stream(
    log: &EventLog,
    jetstream: &jetstream::Context,
    stream: &str,
    prefix: &str,
    up_to: Position,
) -> Result<Option<String>, Box<dyn std::error::Error + Send + Sync>> {
    let config = RelayConfig { subject_prefix: prefix.to_owned(), ..RelayConfig::new(stream) };
    let stream = jetstream.get_stream(stream).await?;
    let info = stream.get_info().await?;
    if let Some(why) = why_unsafe(&info.config, &config.config()) {
        return Ok(Some(format!("the stream can lose history: {why}")));
    }
    // Asked after the stream, so that what is published meanwhile is not beyond it.
    let head = log.head().await?;
    let state = info.state;
    let last = Position(state.last_sequence);
    if last < up_to || state.messages < up_to.0 {
        return Ok(Some(format!(
            "the stream has {} messages up to {last}, the log {up_to}",
            state.messages
        )));
    }
    if last > head {
        return Ok(Some(format!("the stream is at {last}, ahead of the log at {head}")));
    }
    if state.messages != last.0 {
        let (first, messages) = (state.first_sequence, state.messages);
        return Ok(Some(format!(
            "the stream has holes: {messages} messages from {first} to {last}"
        )));
    }
    let mut messages = stream.create_consumer(OrderedConfig::default()).await?.messages().await?;
    let mut position = Position::START;
    while position < last {
        let page = log.read(position, PAGE).await?;
        if page.is_empty() {
            return Ok(Some(format!("the log ends at {position}, the stream at {last}")));
        }
        for event in page.into_iter().take_while(|event| event.position <= last) {
            position = event.position;
            let message = tokio::time::timeout(PATIENCE, messages.next()).await?;
            let message = message.ok_or("the stream ended")??;
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
