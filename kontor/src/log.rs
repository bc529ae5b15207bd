//! `kontor log`: inspects, verifies, exports and restores the event log.

mod companions;
mod discard_stream;
mod export;
mod import;
mod lookup;
mod recover;
mod show;
mod stats;
mod tail;
mod verify;

use std::{io::Write, process::ExitCode};

use event_log::{EventLog, LogConfig};

use crate::location::Location;

/// Arguments of `kontor log`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    location: Location,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Check that positions and versions have no gaps and that the stream equals the log.
    Verify(verify::Arguments),
    /// Write the log as a backup while everything runs, or continue a backup.
    Export(export::Arguments),
    /// Restore a backup into an empty server.
    Import(import::Arguments),
    /// Append the events that only the stream has to a log that was restored to an earlier state.
    Recover(recover::Arguments),
    /// Delete a stream that differs from the log, so that it is built again from the log.
    DiscardStream(discard_stream::Arguments),
    /// Print events, one JSON object per line.
    Tail(tail::Arguments),
    /// Print the state of an aggregate, now or at a moment, and its events.
    Show(show::Arguments),
    /// Print statistics of the log; counts everything, which is slow on a large log.
    Stats(stats::Arguments),
    /// Print the last position.
    Head,
}

/// Executes the subcommand; a verification that finds an error exits with 1.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { location, command } = arguments;
    match command {
        Command::Verify(arguments) => return verify::run(arguments, &location).await,
        Command::Export(arguments) => export::run(arguments, &location).await?,
        Command::Import(arguments) => import::run(arguments, &location).await?,
        Command::Recover(arguments) => recover::run(arguments, &location).await?,
        Command::DiscardStream(arguments) => discard_stream::run(arguments, &location).await?,
        Command::Tail(arguments) => tail::run(arguments, &location).await?,
        Command::Show(arguments) => show::run(arguments, &location).await?,
        Command::Stats(arguments) => stats::run(arguments, &location).await?,
        Command::Head => println!("{}", open(&location).await?.head().await?),
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes to standard output; a closed pipe is not an error.
fn say(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

async fn open(location: &Location) -> anyhow::Result<EventLog> {
    Ok(EventLog::open(&LogConfig::new(location.database_url()?)).await?)
}
