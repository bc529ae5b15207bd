//! `kontor log verify`: verifies the log and the stream, or a backup.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use event_log::{
    EventLog,
    relay::{RelayConfig, verify_stream},
};
use serde::Deserialize;

use super::open;
use crate::{location::Location, progress::Step};

/// Arguments of `kontor log verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Name of the JetStream stream.
    #[arg(long, default_value = "kontor")]
    stream: String,
    /// Verify this backup instead, without any server.
    #[arg(long, value_name = "FOLDER")]
    backup: Option<PathBuf>,
}

/// Prints the errors; the exit code is 1 if there are any.
pub(crate) async fn run(arguments: Arguments, location: &Location) -> anyhow::Result<ExitCode> {
    let Arguments { stream, backup } = arguments;
    match backup {
        Some(folder) => verify_backup(&folder).map(|()| ExitCode::SUCCESS),
        None => verify(&open(location).await?, location, &stream).await,
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
    let troubles = running(location).await;
    for trouble in &troubles {
        println!("{trouble}");
    }
    let sound = report.findings.is_empty() && difference.is_none() && troubles.is_empty();
    println!("{}", if sound { "sound" } else { "NOT SOUND" });
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The parts of a Kontor's health that concern log and stream.
#[derive(Deserialize)]
struct Health {
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    name: String,
    state: String,
    #[serde(default)]
    detail: String,
}

/// The errors that the `kontor up` of the directory reports about log and stream: it knows more
/// than a comparison shows, such as an event that is too large to be published.
async fn running(location: &Location) -> Vec<String> {
    let is_its = location.database_url.is_none() && location.nats_url.is_none();
    let Some(run) = location.run_file().ok().filter(|_| is_its) else { return Vec::new() };
    let asked = async {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
        client.get(format!("{}/health/ready", run.http_url)).send().await?.json::<Health>().await
    };
    match asked.await {
        Ok(Health { parts }) => parts
            .into_iter()
            .filter(|part| ["log", "stream"].contains(&&*part.name) && part.state != "ok")
            .map(|Part { name, state, detail }| format!("{name}: {state}: {detail}"))
            .collect(),
        Err(error) => vec![format!("the Kontor at {} does not answer: {error}", run.http_url)],
    }
}

fn verify_backup(folder: &Path) -> anyhow::Result<()> {
    let step = Step::begin("verifying the backup");
    let sound = event_log::backup::verify(folder)?;
    step.done(&format!("{} events in {} streams", sound.manifest.events, sound.streams));
    println!("sound: events 1 to {}, made {}", sound.manifest.last, sound.manifest.made_at);
    println!("sha256 {}", sound.sha256);
    Ok(())
}
