//! Killed processes and terminated connections under load.

use std::collections::BTreeMap;

use kontor_tests::torture;
use nix::sys::signal::Signal;
use rand::RngExt;
use rust_decimal::Decimal;

use super::{
    load::Load,
    site::Site,
    sound::{check_history, check_sound},
};
use crate::{
    export::{Export, export},
    instance::{Instance, eventually},
};

/// Readers and writers, policies and read models.
const TERMINATE_SOME: &str = "
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE application_name LIKE 'kontor %' AND random() < 0.3";

/// What is killed.
#[derive(Debug, Clone, Copy)]
enum Victim {
    /// One process of two, sometimes both.
    Instance,
    /// Some of the connections to PostgreSQL, by its administrator.
    Connections,
    Nats,
    Postgres,
}

/// In every eight rounds.
const VICTIMS: [Victim; 8] = [
    Victim::Instance,
    Victim::Connections,
    Victim::Instance,
    Victim::Nats,
    Victim::Instance,
    Victim::Connections,
    Victim::Postgres,
    Victim::Nats,
];

/// Two processes race as writers, relays and runners of policies, while each of them, their
/// connections and their servers are killed where they stand.
#[tokio::test]
async fn fault_everything_is_killed_under_load() {
    let mut site = Site::durable_with_instances(2).await;
    let load = Load::start(&site.instances).await;
    let mut chance = torture::chance();
    for victim in VICTIMS.into_iter().cycle().take(torture::rounds(8, 160)) {
        load.goes_on(chance.random_range(10..60)).await;
        eprintln!("killing: {victim:?}");
        match victim {
            Victim::Instance => {
                let one = chance.random_range(0..2);
                site.instances[one].kill();
                if chance.random_ratio(1, 4) {
                    site.instances[1 - one].kill_and_restart().await;
                }
                site.instances[one].start_again().await;
            }
            Victim::Connections => {
                let rows = site.database().await.query_one(TERMINATE_SOME, &[]).await;
                assert!(rows.unwrap().get::<_, i64>(0) > 0);
            }
            Victim::Nats => site.kill_nats().await,
            Victim::Postgres => site.kill_postgres().await,
        }
    }
    load.goes_on(50).await;
    check_sound(load, &site.instances[0]).await;
}

#[tokio::test]
async fn fault_an_import_survives_kill_9_of_everything() {
    let Export { csv, owed, refused } = export(0x5EED, 250);
    let mut instance = Instance::start_with_servers().await;
    let file = instance.directory().join("export.csv");
    std::fs::write(&file, csv).unwrap();
    let import = ["import", "online-retail", file.to_str().unwrap()];

    let mut first = instance.spawn(&import);
    instance.wait_for_head(100).await;
    instance.signal("nats_pid", Signal::SIGKILL);
    instance.wait_for_head(200).await;
    instance.signal("postgres_pid", Signal::SIGKILL);
    instance.wait_for_head(300).await;
    assert_eq!(first.try_wait().unwrap(), None, "the import is still under way");
    first.kill().unwrap();
    first.wait().unwrap();

    // It goes on where the first one ended, on the instance that runs.
    let before = eventually("the instance answers", async || instance.head().await).await;
    let mut second = instance.spawn(&import);
    instance.wait_for_head(before + 200).await;
    assert_eq!(second.try_wait().unwrap(), None, "the import is still under way");
    instance.kill_and_restart().await;
    // Its address has changed with the restart.
    second.kill().unwrap();
    second.wait().unwrap();

    instance.run(&import);
    check_balances(&instance, &owed).await;
    let rejects = std::fs::read_to_string(instance.directory().join("export.csv.rejects.csv"));
    assert_eq!(rejects.unwrap().lines().count(), refused + 1);
    check_history(&instance).await;

    let head = instance.head().await;
    instance.run(&import);
    assert_eq!(instance.head().await, head, "an import that is run again writes nothing");

    instance.run(&["projections", "rebuild", "all"]);
    check_balances(&instance, &owed).await;
}

/// Every customer owes what the shop's accountant has counted.
async fn check_balances(instance: &Instance, owed: &BTreeMap<String, i64>) {
    let balances: BTreeMap<String, i64> = instance
        .all("accounting", "/v1/account-balances")
        .await
        .into_iter()
        .map(|balance| {
            let amount: Decimal = balance["balance"]["amount"].as_str().unwrap().parse().unwrap();
            let pence = amount * Decimal::ONE_HUNDRED;
            (balance["reference"].as_str().unwrap().to_owned(), pence.try_into().unwrap())
        })
        .collect();
    // A customer whose documents were refused whole owes nothing, and has no account.
    let owed: BTreeMap<_, _> =
        owed.iter().filter(|(name, _)| balances.contains_key(*name) || owed[*name] != 0).collect();
    let balances: BTreeMap<_, _> = balances.iter().collect();
    assert_eq!(balances, owed);
}
