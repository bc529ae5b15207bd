//! `kontor log stats`: statistics of the log.

use std::collections::BTreeMap;

use event_log::stats::Stats;
use jiff::tz::TimeZone;
use service_kit::clock::Clock;

use super::{open, say};
use crate::location::Location;

/// Arguments of `kontor log stats`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The number of days to count, back from the newest event.
    #[arg(long, default_value_t = 14)]
    days: i32,
    /// Name of the JetStream stream.
    #[arg(long, default_value = "kontor")]
    stream: String,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Counts, and prints.
pub(crate) async fn run(arguments: Arguments, location: &Location) -> anyhow::Result<()> {
    let Arguments { days, stream, json } = arguments;
    let stats = open(location).await?.stats(&TimeZone::get(Clock::WARSAW)?, days).await?;
    if json {
        return say(&format!("{}\n", serde_json::to_string_pretty(&stats)?));
    }
    let published = published(location, &stream).await;
    let published = published.unwrap_or_else(|error| format!("{error:#}"));
    say(&format!("{}stream      {published}\n", text(&stats)))
}

fn text(stats: &Stats) -> String {
    let time = |time: Option<jiff::Timestamp>| time.map_or("never".to_owned(), |t| t.to_string());
    let mut lines = vec![
        format!("events      {} in {} streams", stats.events, stats.streams),
        format!("first       {}", time(stats.first_at)),
        format!("last        {}, {} in the hour before", time(stats.last_at), stats.last_hour),
        format!("commands    {} remembered", stats.commands),
        format!("snapshots   {}", stats.snapshots),
        format!("directory   up to {}", stats.directory),
        format!("epoch       {}", stats.epoch),
    ];
    let tables = stats.tables.iter().map(|(table, bytes)| (format!("log.{table}"), bytes / 1024));
    lines.extend(tables.map(|(table, kib)| format!("KiB         {kib:>12}  {table}")));
    let mut kinds = BTreeMap::<_, u64>::new();
    for (name, events) in &stats.types {
        *kinds.entry(name.split('.').next().unwrap_or(name)).or_default() += events;
    }
    lines.extend(kinds.iter().map(|(kind, events)| format!("aggregate   {events:>12}  {kind}")));
    lines.extend(
        stats.types.iter().map(|(name, events)| format!("type        {events:>12}  {name}")),
    );
    lines.extend(stats.companies.iter().map(|(company, events)| {
        let company = company.map_or("without a company".to_owned(), |id| id.to_string());
        format!("company     {events:>12}  {company}")
    }));
    lines.extend(stats.days.iter().map(|(day, events)| format!("day         {events:>12}  {day}")));
    lines.join("\n") + "\n"
}

async fn published(location: &Location, stream: &str) -> anyhow::Result<String> {
    let client = crate::nats::connect(&location.nats_url()?).await?;
    let stream = async_nats::jetstream::new(client).get_stream(stream).await?;
    let state = &stream.cached_info().state;
    let (first, last, messages) = (state.first_sequence, state.last_sequence, state.messages);
    Ok(format!("{messages} messages, {first} to {last}, {} KiB", state.bytes / 1024))
}
