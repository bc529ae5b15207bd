//! Load of idle processes, and which of several processes maintains the read models.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;
use tokio_postgres::Client;

use crate::{
    faults::site::Site,
    instance::{Instance, eventually, within},
    journeys::created,
};

/// How many transactions a second an idle process makes at most.
const MOST: i64 = 20;
/// For how long they are counted: sessions tell theirs with a delay of a second.
const WINDOW: Duration = Duration::from_secs(8);

/// The transactions of a database: of everybody, this connection included.
async fn transactions(database: &Client) -> i64 {
    let sql = "SELECT xact_commit + xact_rollback FROM pg_stat_database
        WHERE datname = current_database()";
    database.query_one(sql, &[]).await.unwrap().get(0)
}

/// As many a second as in the quietest of a few windows: PostgreSQL's own upkeep, which comes now and then,
/// is not the process's doing.
async fn at_rest(database: &Client) -> i64 {
    let mut least = i64::MAX;
    for _ in 0..3 {
        let before = transactions(database).await;
        tokio::time::sleep(WINDOW).await;
        let count = transactions(database).await - before;
        least = least.min(count / i64::try_from(WINDOW.as_secs()).unwrap());
        if least <= MOST {
            break;
        }
    }
    least
}

async fn product(instance: &Instance, sku: &str) -> String {
    let product = json!({ "sku": sku, "name": sku, "unit": "piece", "vat_rate": "5" });
    created(instance.post("admin", "/v1/products", &product).await)
}

#[tokio::test]
async fn an_idle_process_makes_few_transactions() {
    let instance = Instance::start().await;
    product(&instance, "RICE").await;
    instance.settled().await;
    let database = instance.database().await;
    let count = at_rest(&database).await;
    assert!(count <= MOST, "{count} transactions a second");
}

/// Each of two processes is as quiet as one. What either writes, both show.
#[tokio::test]
async fn two_processes_at_rest_leave_each_other_alone() {
    let site = Site::with_instances(2).await;
    for (one, other, sku) in [(0, 1, "RICE"), (1, 0, "OATS")] {
        let product = product(&site.instances[one], sku).await;
        let head = site.instances[one].settled().await;
        let path = format!("/v1/products/{product}?wait_for={head}");
        assert_eq!(site.instances[other].get("admin", &path).await.status, 200);
    }
    let database = site.database().await;
    let count = at_rest(&database).await;
    assert!(count <= 2 * MOST, "{count} transactions a second of two");
}

/// Whichever keeps the read models up, the other takes over when it is killed or stopped.
#[tokio::test]
async fn fault_another_process_keeps_the_read_models_up_when_one_ends() {
    const HOLDER: &str = "SELECT held_until > now(), holder::text FROM view.runners";
    let mut site = Site::with_instances(2).await;
    let database = site.database().await;
    let holder = async || -> String {
        eventually("somebody keeps the read models up", async || {
            let row = database.query_opt(HOLDER, &[]).await.unwrap()?;
            row.get::<_, bool>(0).then(|| row.get(1))
        })
        .await
    };
    let shows = async |instance: &Instance, sku: &str| {
        let started = Instant::now();
        let product = product(instance, sku).await;
        within(Duration::from_secs(15), "it is shown", async || {
            let head = instance.head().await?;
            let path = format!("/v1/products/{product}?wait_for={head}");
            instance.try_get("admin", &path).await.ok().filter(|answer| answer.status == 200)
        })
        .await;
        started.elapsed()
    };
    let first = holder().await;
    // Stopped or not the holder, it is killed first: then the other one holds the lease.
    site.instances[0].kill();
    let took = shows(&site.instances[1], "RICE").await;
    assert!(took < Duration::from_secs(10), "a killed process held others up for {took:?}");
    site.instances[0].start_again().await;
    shows(&site.instances[0], "OATS").await;
    let second = holder().await;
    assert_ne!(first, second, "the first one that started held it, and was killed");
    site.instances[1].signal("pid", Signal::SIGSTOP);
    let took = shows(&site.instances[0], "BEANS").await;
    site.instances[1].signal("pid", Signal::SIGCONT);
    assert!(took < Duration::from_secs(15), "a stopped process held others up for {took:?}");
    assert_ne!(second, holder().await);
    shows(&site.instances[1], "PEAS").await;
}
