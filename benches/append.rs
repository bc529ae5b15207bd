//! Appends per second through `CqrsFramework::execute`, over our store and over postgres-es, and
//! the raw limit: binary COPY of the same rows. One run, one server, one durability.
//!
//! Needs `KONTOR_DATABASE_URL`, a superuser's URL of a server that it may fill; `make bench`
//! provides one.

#![allow(clippy::cast_precision_loss, reason = "rates are shown, not kept")]

mod account;
mod raw_copy;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use cqrs_es::{CqrsFramework, EventStore};
use event_log::{EventLog, LogConfig};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::account::{Account, Command};

const WARM_UP: Duration = Duration::from_secs(2);
const MEASURE: Duration = Duration::from_secs(6);

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let server = std::env::var("KONTOR_DATABASE_URL")
        .map_err(|_| "KONTOR_DATABASE_URL is not set: run `make bench`")?;
    let mut results = Vec::new();
    for clients in [64, 1_024] {
        let ours = ours(&server, clients).await?;
        let theirs = theirs(&server, clients).await?;
        let (client, _) = fresh_database(&server).await?;
        let copy = raw_copy::rows_per_second(&client, clients, MEASURE).await?;
        results.push((clients, ours, theirs, copy));
    }
    println!(
        "clients  kontor cmd/s  postgres-es cmd/s  raw COPY rows/s  x postgres-es  of raw COPY"
    );
    for (clients, ours, theirs, copy) in results {
        println!(
            "{clients:>7}  {ours:>12.0}  {theirs:>17.0}  {copy:>15.0}  {:>13.1}  {:>10.0}%",
            ours / theirs,
            100.0 * ours / copy
        );
    }
    Ok(())
}

async fn ours(server: &str, clients: usize) -> Result<f64, Failure> {
    let (mut client, url) = fresh_database(server).await?;
    EventLog::migrate(&mut client).await?;
    let log = EventLog::open(&LogConfig::new(url)).await?;
    let framework = CqrsFramework::new(log.store::<Account>(), vec![], ());
    rate(framework, clients).await
}

async fn theirs(server: &str, clients: usize) -> Result<f64, Failure> {
    let (client, url) = fresh_database(server).await?;
    // The table of postgres-es's own db/init.sql.
    client
        .batch_execute(
            "CREATE TABLE events (
                 aggregate_type text NOT NULL, aggregate_id text NOT NULL,
                 sequence bigint CHECK (sequence >= 0) NOT NULL, event_type text NOT NULL,
                 event_version text NOT NULL, payload json NOT NULL, metadata json NOT NULL,
                 PRIMARY KEY (aggregate_type, aggregate_id, sequence))",
        )
        .await?;
    let pool = postgres_es::default_postgress_pool(&url).await;
    rate(postgres_es::postgres_cqrs::<Account>(pool, vec![], ()), clients).await
}

/// Every client deposits into an account of its own, as fast as it is answered.
async fn rate<S>(framework: CqrsFramework<Account, S>, clients: usize) -> Result<f64, Failure>
where
    S: EventStore<Account> + 'static,
    S::AC: Send,
{
    let framework = Arc::new(framework);
    let done = Arc::new(AtomicU64::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let (framework, done) = (framework.clone(), done.clone());
        tasks.spawn(async move {
            // A fresh account after a hundred deposits: postgres-es loads the whole stream for
            // every command, and nobody's history should grow without bound here.
            loop {
                let account = Uuid::now_v7().to_string();
                for _ in 0..100 {
                    framework
                        .execute(&account, Command::Deposit { amount: 1 })
                        .await
                        .map_err(|error| error.to_string())?;
                    done.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    let failed = async |tasks: &mut tokio::task::JoinSet<Result<(), String>>| {
        tasks.join_next().await.map_or(Ok(()), |ended| ended?.map_err(Failure::from))
    };
    tokio::select! {
        ended = failed(&mut tasks) => ended?,
        () = tokio::time::sleep(WARM_UP) => {}
    }
    let (before, started) = (done.load(Ordering::Relaxed), Instant::now());
    tokio::select! {
        ended = failed(&mut tasks) => ended?,
        () = tokio::time::sleep(MEASURE) => {}
    }
    let rate = (done.load(Ordering::Relaxed) - before) as f64 / started.elapsed().as_secs_f64();
    tasks.shutdown().await;
    Ok(rate)
}

/// A database of its own on the server, so that runs do not see each other's rows.
async fn fresh_database(server: &str) -> Result<(Client, String), Failure> {
    let name = format!("bench_{}", Uuid::now_v7().simple());
    let admin = connect(server).await?;
    admin.batch_execute("CHECKPOINT").await?;
    admin.batch_execute(&format!("CREATE DATABASE {name}")).await?;
    let url = with_database(server, &name);
    Ok((connect(&url).await?, url))
}

fn with_database(server: &str, name: &str) -> String {
    let (base, parameters) = server.split_once('?').map_or((server, ""), |(b, p)| (b, p));
    let slash = base.rfind('/').filter(|at| *at > "postgres://".len()).unwrap_or(base.len());
    let url = format!("{}/{name}", &base[..slash]);
    if parameters.is_empty() { url } else { format!("{url}?{parameters}") }
}

async fn connect(url: &str) -> Result<Client, Failure> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
