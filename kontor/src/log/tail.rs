//! `kontor log tail`: prints events, one JSON object per line.

use std::{
    io::{self, Write},
    time::Duration,
};

use event_log::{Direction, EventLog, Lookup, Position, RecordedEvent};
use futures::{TryStreamExt, pin_mut};

use super::{lookup::EventFilter, open};
use crate::location::Location;

/// The interval at which new events are read.
const PAUSE: Duration = Duration::from_millis(200);

/// Arguments of `kontor log tail`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Start after this position.
    #[arg(long, conflicts_with = "last")]
    after: Option<u64>,
    /// Start with the last N matching events.
    #[arg(long)]
    last: Option<usize>,
    /// Continue with new events, until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    filter: EventFilter,
}

/// Prints events; ends without an error when the pipe is closed.
pub(crate) async fn run(arguments: Arguments, location: &Location) -> anyhow::Result<()> {
    match print(arguments, &open(location).await?).await {
        Err(error) if broken_pipe(&error) => Ok(()),
        result => result,
    }
}

async fn print(arguments: Arguments, log: &EventLog) -> anyhow::Result<()> {
    let Arguments { after, last, follow, filter } = arguments;
    let lookup = filter.lookup();
    let mut after = Position(after.unwrap_or(0));
    if let Some(last) = last {
        after = before_last(log, &lookup, last).await?;
    }
    loop {
        match print_after(log, &lookup, &mut after).await {
            // PostgreSQL restarts, or a standby takes over: wait for it.
            Err(error) if follow && passes(&error) => tracing::warn!("{error:#}; trying again"),
            result => result?,
        }
        if !follow {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Prints matching events after a position, and advances it.
async fn print_after(log: &EventLog, lookup: &Lookup, after: &mut Position) -> anyhow::Result<()> {
    // All events up to here are checked below.
    let head = log.head().await?;
    let events = log.find_all(lookup.clone(), Direction::Forwards, Some(*after));
    pin_mut!(events);
    while let Some(event) = events.try_next().await? {
        line(&event)?;
        *after = event.position;
    }
    *after = head.max(*after);
    Ok(io::stdout().flush()?)
}

fn passes(error: &anyhow::Error) -> bool {
    error.downcast_ref().is_some_and(event_log::Error::is_transient)
}

/// The position before the last N matching events.
async fn before_last(log: &EventLog, lookup: &Lookup, last: usize) -> anyhow::Result<Position> {
    let events = log.find(lookup, Direction::Backwards, None, last).await?;
    match events.last() {
        Some(first) => Ok(Position(first.position.0 - 1)),
        None => Ok(log.head().await?),
    }
}

fn line(event: &RecordedEvent) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, event)?;
    Ok(writeln!(out)?)
}

fn broken_pipe(error: &anyhow::Error) -> bool {
    let kind = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    let json = error.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
    error.downcast_ref().is_some_and(kind) || json == Some(io::ErrorKind::BrokenPipe)
}
