//! `kontor log`: looks at history and verifies it.

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
    },
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
    let log = EventLog::open(&LogConfig::new(arguments.location.database_url()?)).await?;
    match arguments.command {
        Command::Verify { stream } => return verify(&log, &arguments.location, &stream).await,
        Command::Tail { after } => {
            let mut after = Position(after);
            loop {
                let events = log.read(after, PAGE).await?;
                let Some(last) = events.last() else { break };
                after = last.position;
                for event in &events {
                    println!("{}", serde_json::to_string(event)?);
                }
            }
        }
        Command::Head => println!("{}", log.head().await?),
    }
    Ok(ExitCode::SUCCESS)
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
