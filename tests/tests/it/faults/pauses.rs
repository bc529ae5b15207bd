//! Processes that are stopped (SIGSTOP) and continued later.

use std::time::Duration;

use kontor_tests::torture;
use nix::sys::signal::Signal;
use rand::RngExt;

use super::{
    load::Load,
    site::{Site, send},
    sound::check_sound,
};
use crate::instance::{Instance, within};

const WRITERS: &str = "
    SELECT pid FROM pg_stat_activity WHERE application_name = 'kontor log writer'";

/// How long a stopped process may hold others up.
const HELD_UP: Duration = Duration::from_secs(20);

/// What is stopped.
#[derive(Debug, Clone, Copy)]
enum Sleeper {
    /// One process of two: the other serves commands and queries, and takes over the policies.
    /// What the stopped one knew is old when it goes on, and it does no harm with it.
    Instance,
    /// For which commands and queries do not wait.
    Nats,
    /// The process of PostgreSQL that serves a writer: it may keep the head, then all wait for it.
    Backend,
}

#[tokio::test]
async fn fault_everything_is_stopped_under_load() {
    let site = Site::with_instances(2).await;
    let load = Load::start(&site.instances).await;
    let mut chance = torture::chance();
    let sleepers = [Sleeper::Instance, Sleeper::Nats, Sleeper::Backend];
    for sleeper in sleepers.into_iter().cycle().take(torture::rounds(3, 60)) {
        load.goes_on(chance.random_range(10..60)).await;
        eprintln!("stopping: {sleeper:?}");
        let pause = tokio::time::sleep(Duration::from_secs(torture::rounds(3, 10) as u64));
        let one = chance.random_range(0..2);
        let (stopped, other) = (&site.instances[one], &site.instances[1 - one]);
        match sleeper {
            Sleeper::Instance => {
                stopped.signal("pid", Signal::SIGSTOP);
                load.goes_on(20).await;
                shows_what_is_new(other).await;
                pause.await;
                stopped.signal("pid", Signal::SIGCONT);
            }
            Sleeper::Nats => {
                site.signal_nats(Signal::SIGSTOP);
                load.goes_on(20).await;
                shows_what_is_new(other).await;
                pause.await;
                site.signal_nats(Signal::SIGCONT);
            }
            Sleeper::Backend => {
                let writers = site.database().await.query(WRITERS, &[]).await.unwrap();
                let pid: i32 = writers[chance.random_range(0..writers.len())].get(0);
                send(pid.unsigned_abs(), Signal::SIGSTOP);
                pause.await;
                send(pid.unsigned_abs(), Signal::SIGCONT);
            }
        }
        shows_what_is_new(stopped).await;
    }
    load.goes_on(50).await;
    check_sound(load, &site.instances[0]).await;
}

/// Every read model and every policy of an instance gets to where the log is now.
async fn shows_what_is_new(instance: &Instance) {
    let head = within(HELD_UP, "the log answers", async || instance.head().await).await;
    for list in ["account-balances", "invoices", "orders", "payments", "products", "shipments"] {
        let path = format!("/v1/{list}?limit=1&wait_for={head}");
        within(HELD_UP, &path, async || {
            instance.try_get("admin", &path).await.ok().filter(|answer| answer.status == 200)
        })
        .await;
    }
    within(HELD_UP, "the policies go on", async || {
        let policies = instance.try_get("admin", "/v1/policies").await.ok()?.body;
        let behind = |policy: &serde_json::Value| policy["position"].as_u64() < Some(head);
        (!policies.as_array()?.iter().any(behind)).then_some(())
    })
    .await;
}
