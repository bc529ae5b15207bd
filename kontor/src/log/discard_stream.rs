//! `kontor log discard-stream`: deletes a stream that differs from the log.

use anyhow::ensure;
use event_log::{EventLog, LogConfig};

use crate::location::Location;

/// Arguments of `kontor log discard-stream`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Name of the JetStream stream.
    #[arg(long, default_value = "kontor")]
    stream: String,
    /// Delete; without this, only print what would be lost.
    #[arg(long)]
    yes: bool,
}

/// Deletes the stream; a running Kontor builds it again from the log.
pub(super) async fn run(arguments: Arguments, location: &Location) -> anyhow::Result<()> {
    let Arguments { stream: name, yes } = arguments;
    let log = EventLog::open(&LogConfig::new(location.database_url()?)).await?;
    let nats = crate::nats::connect(&location.nats_url()?).await?;
    let jetstream = async_nats::jetstream::new(nats);
    let state = jetstream.get_stream(&name).await?.get_info().await?.state;
    let (messages, last, head) = (state.messages, state.last_sequence, log.head().await?);
    println!("stream {name} has {messages} messages up to {last}; the log ends at {head}");
    ensure!(yes, "pass --yes to delete the stream with its consumers, and build it again");
    jetstream.delete_stream(&name).await?;
    println!("deleted; a running Kontor builds it again from the log");
    Ok(())
}
