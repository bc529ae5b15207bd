//! `kontor log`: looks at history and verifies it.

mod companions;
mod discard_stream;
mod export;
mod import;
mod recover;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use event_log::relay::{RelayConfig, verify_stream};
use event_log::{EventLog, LogConfig, Position};

use crate::location::Location;
use crate::progress::Step;

/// How many events are read at once.
const PAGE: usize = 1_000;

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
    Verify {
        /// Name of the JetStream stream.
        #[arg(long, default_value = "kontor")]
        stream: String,
        /// Check this backup instead, without any server.
        #[arg(long, value_name = "FOLDER")]
        backup: Option<PathBuf>,
    },
    /// Write all of history as a backup while everything runs, or continue one.
    Export(export::Arguments),
    /// Restore a backup into an empty server.
    Import(import::Arguments),
    /// Append what only the stream has to a log that was restored to an earlier state.
    Recover(recover::Arguments),
    /// Delete a stream that is not this history, to be built anew from the log.
    DiscardStream(discard_stream::Arguments),
    /// Print events, one JSON object a line.
    Tail {
        /// Start after this position.
        #[arg(long, default_value_t = 0)]
        after: u64,
    },
    /// Print the last position.
    Head,
}

/// Does what was asked; verification that finds something wrong exits with 1.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { location, command } = arguments;
    match command {
        Command::Verify { backup: Some(folder), .. } => verify_backup(&folder)?,
        Command::Verify { stream, .. } => {
            return verify(&open(&location).await?, &location, &stream).await;
        }
        Command::Export(arguments) => export::run(arguments, &location).await?,
        Command::Import(arguments) => import::run(arguments, &location).await?,
        Command::Recover(arguments) => recover::run(arguments, &location).await?,
        Command::DiscardStream(arguments) => discard_stream::run(arguments, &location).await?,
        Command::Tail { after } => tail(&open(&location).await?, after).await?,
        Command::Head => println!("{}", open(&location).await?.head().await?),
    }
    Ok(ExitCode::SUCCESS)
}

async fn open(location: &Location) -> anyhow::Result<EventLog> {
    Ok(EventLog::open(&LogConfig::new(location.database_url()?)).await?)
}

async fn tail(log: &EventLog, after: u64) -> anyhow::Result<()> {
    let mut after = Position(after);
    loop {
        let events = log.read(after, PAGE).await?;
        let Some(last) = events.last() else { return Ok(()) };
        after = last.position;
        for event in &events {
            println!("{}", serde_json::to_string(event)?);
        }
    }
}

async fn verify(log: &EventLog, location: &Location, stream: &str) -> anyhow::Result<ExitCode> {
    let step = Step::begin("verifying the log");
    let report = log.verify().await?;
    step.done(&format!("{} events in {} streams", report.events, report.streams));
    for finding in &report.findings {
        println!("log: {finding}");
    }
    let step = Step::begin("comparing the stream");
    let client = crate::nats::connect(&location.nats_url()?).await?;
    let jetstream = async_nats::jetstream::new(client);
    let prefix = RelayConfig::new(stream).subject_prefix;
    let difference = verify_stream(log, &jetstream, stream, &prefix, report.head)
        .await
        .map_err(|error| anyhow::anyhow!("the stream cannot be compared: {error}"))?;
    step.done(&format!("compared {} messages", report.head));
    if let Some(difference) = &difference {
        println!("stream: {difference}");
    }
    let sound = report.findings.is_empty() && difference.is_none();
    println!("{}", if sound { "sound" } else { "NOT SOUND" });
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn verify_backup(folder: &Path) -> anyhow::Result<()> {
    let step = Step::begin("verifying the backup");
    let sound = event_log::backup::verify(folder)?;
    step.done(&format!("{} events in {} streams", sound.manifest.events, sound.streams));
    println!("sound: events 1 to {}, made {}", sound.manifest.last, sound.manifest.made_at);
    println!("sha256 {}", sound.sha256);
    Ok(())
}
