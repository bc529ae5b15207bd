//! `kontor log`: looks at history and verifies it.

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
    /// Check that positions and versions have no gaps and the stream is the same history.
    Verify(verify::Arguments),
    /// Write all of history as a backup while everything runs, or continue one.
    Export(export::Arguments),
    /// Restore a backup into an empty server.
    Import(import::Arguments),
    /// Append what only the stream has to a log that was restored to an earlier state.
    Recover(recover::Arguments),
    /// Delete a stream that is not this history, to be built anew from the log.
    DiscardStream(discard_stream::Arguments),
    /// Print events, one JSON object a line.
    Tail(tail::Arguments),
    /// Print what an aggregate is, or was at a moment, and the events that made it so.
    Show(show::Arguments),
    /// Print the log in figures; counts everything, which takes its time on a large log.
    Stats(stats::Arguments),
    /// Print the last position.
    Head,
}

/// Does what was asked; verification that finds something wrong exits with 1.
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

/// Writes to standard output; that nobody reads it is no error.
fn say(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

async fn open(location: &Location) -> anyhow::Result<EventLog> {
    Ok(EventLog::open(&LogConfig::new(location.database_url()?)).await?)
}
