//! What waiting for a position costs.

use std::time::{Duration, Instant};

use event_log::{EventLog, LogConfig, Position};
use futures::future::join_all;
use projections::{ReadError, Views};
use tokio_postgres::Client;

use crate::{
    runner::names,
    stored::Event,
    trade::{Instance, connect},
};

const WAITERS: usize = 200;

/// A process that has not written and runs no read model: all that it knows it must ask for.
async fn stranger(instance: &Instance) -> (Views, EventLog) {
    let log = EventLog::open(&LogConfig::new(&instance.url)).await.unwrap();
    let pool = service_kit::postgres::pool(&instance.url, "test", 12).unwrap();
    (Views::open(pool, log.clone()).await.unwrap(), log)
}

async fn wait_together(views: &Views, position: Position) -> Vec<Result<(), ReadError>> {
    let names = names();
    join_all((0..WAITERS).map(|_| views.wait(&names, position))).await
}

/// Those of the database; backends tell theirs when they end.
async fn transactions(observer: &Client, instance: &Instance) -> i64 {
    let (_, database) = instance.url.rsplit_once('/').unwrap();
    let end = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
        WHERE datname = $1 AND pid <> pg_backend_pid()";
    observer.query(end, &[&database]).await.unwrap();
    let count = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = $1";
    observer.query_one(count, &[&database]).await.unwrap().get(0)
}

async fn observer() -> Client {
    connect(&std::env::var("KONTOR_TEST_DATABASE_URL").unwrap()).await
}

/// The cost of 200 waiters is that of one.
#[tokio::test]
async fn waiting_costs_nothing_per_waiter() {
    let instance = Instance::new().await;
    let head = Event::sample("payment", "booked").append(&instance).await;
    drop(stranger(&instance).await);
    let before = transactions(&observer().await, &instance).await;
    let (views, log) = stranger(&instance).await;
    let waited = wait_together(&views, head).await;
    let behind = |answer: &Result<(), ReadError>| matches!(answer, Err(ReadError::Behind { .. }));
    assert!(waited.iter().all(behind), "nobody runs the read models");
    drop((views, log));
    let spent = transactions(&observer().await, &instance).await - before;
    // 50 a second for five seconds, and some of connections.
    assert!(spent < 600, "{spent} transactions");
}

#[tokio::test]
async fn a_position_beyond_the_head_is_refused_at_once() {
    let instance = Instance::new().await;
    let head = Event::sample("payment", "booked").append(&instance).await;
    drop(stranger(&instance).await);
    let before = transactions(&observer().await, &instance).await;
    let (views, log) = stranger(&instance).await;
    let started = Instant::now();
    for answer in wait_together(&views, Position(head.0 + 1)).await {
        assert!(matches!(answer, Err(ReadError::Beyond { head: 1, wanted: 2 })), "{answer:?}");
    }
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    drop((views, log));
    let spent = transactions(&observer().await, &instance).await - before;
    // Far fewer than one each: every read model of a process costs some at its start.
    assert!(spent < 150, "{spent} transactions for {WAITERS} waiters");
}

/// What another process has written is waited for, and what another one shows is seen.
#[tokio::test]
async fn other_processes_write_and_run_read_models() {
    let instance = Instance::new().await;
    let (views, _log) = stranger(&instance).await;
    let runner = instance.views().await;
    let cancel = tokio_util::sync::CancellationToken::new();
    runner.follow(&cancel);
    for _ in 0..5 {
        let head = Event::sample("payment", "booked").append(&instance).await;
        views.wait(&names(), head).await.unwrap();
    }
    cancel.cancel();
}
