//! `kontor log show`: the state and events of an aggregate, now or at a moment.

use event_log::{At, Position};
use jiff::Timestamp;
use serde_json::json;

use super::{
    lookup::{Stream, instant},
    open, say,
};
use crate::location::Location;

/// Arguments of `kontor log show`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The aggregate: `offer/0192…`, or only its id.
    #[arg(value_parser = Stream::parse)]
    stream: Stream,
    /// At this time: `2026-10-01T12:00` (in Warsaw), or with an offset or `Z`.
    #[arg(long, value_parser = instant, group = "moment")]
    at: Option<Timestamp>,
    /// After this version.
    #[arg(long, group = "moment")]
    version: Option<u64>,
    /// At this position.
    #[arg(long, group = "moment")]
    position: Option<u64>,
}

/// Prints state and events as one JSON object.
pub(crate) async fn run(arguments: Arguments, location: &Location) -> anyhow::Result<()> {
    let Arguments { stream, at, version, position } = arguments;
    let at = match (at, version, position) {
        (Some(instant), ..) => At::Instant(instant),
        (_, Some(version), _) => At::Version(version),
        (.., Some(position)) => At::Position(Position(position)),
        (None, None, None) => At::Now,
    };
    let log = open(location).await?;
    let state = log.state_at(stream.id, at).await?;
    if let Some(kind) = stream.kind.filter(|kind| *kind != state.stream_type) {
        anyhow::bail!("{} is not of type {kind} but of type {}", stream.id, state.stream_type);
    }
    let events: Vec<_> = log
        .events_until(stream.id, at)
        .await?
        .iter()
        .map(|event| {
            json!({
                "version": event.version,
                "position": event.position,
                "event_type": event.event_type,
                "recorded_at": event.recorded_at,
                "actor": event.actor,
                "payload": serde_json::from_str::<serde_json::Value>(&event.payload).ok(),
            })
        })
        .collect();
    let mut shown = serde_json::to_value(state)?;
    shown["events"] = json!(events);
    say(&format!("{}\n", serde_json::to_string_pretty(&shown)?))
}
