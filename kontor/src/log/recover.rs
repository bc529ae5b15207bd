//! `kontor log recover`: appends the events that the log has lost, from the stream.

use event_log::recover::{Recovered, recover};
use event_log::relay::RelayConfig;
use event_log::{EventLog, LogConfig};

use super::companions::connect;
use crate::location::Location;
use crate::progress::Step;

/// Arguments of `kontor log recover`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Name of the JetStream stream.
    #[arg(long, default_value = "kontor")]
    stream: String,
}

/// Appends the events that only the stream has, all or nothing.
pub(super) async fn run(arguments: Arguments, location: &Location) -> anyhow::Result<()> {
    let database_url = location.database_url()?;
    let mut client = connect(&database_url).await?;
    let log = EventLog::open(&LogConfig::new(database_url)).await?;
    let nats = crate::nats::connect(&location.nats_url()?).await?;
    let jetstream = async_nats::jetstream::new(nats);
    let config = RelayConfig::new(arguments.stream);
    let step = Step::begin("recovering events from the stream");
    let Recovered { before, now, left } = recover(&mut client, &log, &jetstream, &config).await?;
    step.done(&format!("{} events recovered", now.0 - before.0));
    println!("the log ended at {before} and ends at {now} now");
    if left > 0 {
        println!(
            "message {} of the stream is missing or no event of this history, and with {left} \
             messages from there on was left; `kontor log discard-stream` lets the stream be \
             built anew",
            now.0 + 1
        );
    }
    Ok(())
}
