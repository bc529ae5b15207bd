//! The event log and the catalogue against their raw limits and their peers: one run, one server, one
//! durability. Prints one table.
//!
//! Needs `KONTOR_DATABASE_URL`, a superuser's URL of a server that it may fill, and
//! `KONTOR_NATS_URL`; `make bench` provides both. `BENCH_LONG=1` adds the runs at 10 million events and
//! at 800,000 products.

#![allow(clippy::cast_precision_loss, reason = "rates are shown, not kept")]

mod account;
mod append;
mod catalogue;
mod clients;
mod database;
mod growth;
mod hot;
mod peers;
mod raw_copy;
mod read;
mod relay;
mod replay;
mod table;

use crate::table::Table;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let variable =
        |name| std::env::var(name).map_err(|_| format!("{name} is not set: run `make bench`"));
    let (server, nats) = (variable("KONTOR_DATABASE_URL")?, variable("KONTOR_NATS_URL")?);
    let only = std::env::var("BENCH_ONLY").unwrap_or_default();
    let wanted = |name: &str| only.is_empty() || only.split(',').any(|part| part == name);
    let mut table = Table::default();
    hot::commit_latency(&server, &mut table).await?;
    if wanted("append") {
        append::measure(&server, &mut table).await?;
    }
    if wanted("hot") {
        hot::measure(&server, &mut table).await?;
    }
    if wanted("relay") {
        relay::throughput(&server, &nats, &mut table).await?;
        relay::lag(&server, &nats, &mut table).await?;
    }
    if wanted("read") {
        read::measure(&server, &mut table).await?;
    }
    if wanted("replay") {
        replay::measure(&server, &mut table).await?;
    }
    if wanted("growth") {
        growth::memory(&server, &mut table).await?;
        if std::env::var_os("BENCH_LONG").is_some() {
            growth::size(&server, &mut table).await?;
        }
    }
    if wanted("catalogue") {
        catalogue::measure(&server, std::env::var_os("BENCH_LONG").is_some(), &mut table).await?;
    }
    println!("\n{table}");
    Ok(())
}
