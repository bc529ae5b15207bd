//! What is killed when, and that nothing is lost and nothing done twice.

use std::collections::BTreeMap;

use nix::sys::signal::Signal;
use rust_decimal::Decimal;
use serde_json::json;

use crate::{
    export::{Export, export},
    house::{House, eventually},
};

#[tokio::test]
async fn fault_an_import_survives_kill_9_of_everything() {
    let Export { csv, owed, refused } = export(0x5EED, 250);
    let mut house = House::start().await;
    let file = house.directory().join("export.csv");
    std::fs::write(&file, csv).unwrap();
    let import = ["import", "online-retail", file.to_str().unwrap()];

    let mut first = house.spawn(&import);
    house.wait_for_head(100).await;
    house.signal("nats_pid", Signal::SIGKILL);
    house.wait_for_head(200).await;
    house.signal("postgres_pid", Signal::SIGKILL);
    house.wait_for_head(300).await;
    assert_eq!(first.try_wait().unwrap(), None, "the import is still under way");
    first.kill().unwrap();
    first.wait().unwrap();

    let mut second = house.spawn(&import);
    house.wait_for_head(500).await;
    assert_eq!(second.try_wait().unwrap(), None, "the import is still under way");
    house.kill_and_restart().await;
    // Its address has changed with the restart.
    second.kill().unwrap();
    second.wait().unwrap();

    house.run(&import);
    check_balances(&house, &owed).await;
    let rejects = std::fs::read_to_string(house.directory().join("export.csv.rejects.csv"));
    assert_eq!(rejects.unwrap().lines().count(), refused + 1);
    check_history(&house).await;

    let head = house.head().await;
    house.run(&import);
    assert_eq!(house.head().await, head, "an import that is run again writes nothing");

    house.run(&["projections", "rebuild", "all"]);
    check_balances(&house, &owed).await;
}

#[tokio::test]
async fn fault_a_lost_stream_is_built_anew_from_the_log() {
    let mut house = House::start().await;
    for number in 0..20 {
        draft(&house, &format!("SKU-{number}")).await;
    }
    house.kill();
    std::fs::remove_dir_all(house.directory().join("nats")).unwrap();
    house.start_again().await;
    house.wait_for_part("stream", "ok").await;
    check_history(&house).await;
}

#[tokio::test]
async fn fault_a_foreign_message_halts_the_relay_and_nothing_else() {
    let house = House::start().await;
    draft(&house, "SKU-1").await;
    house.wait_for_part("stream", "ok").await;
    let run = std::fs::read(house.directory().join("run.json")).unwrap();
    let run: serde_json::Value = serde_json::from_slice(&run).unwrap();
    let nats = kontor::nats::connect(run["nats_url"].as_str().unwrap()).await.unwrap();
    nats.publish("kontor.-.foreign.message", "{}".into()).await.unwrap();
    nats.flush().await.unwrap();

    draft(&house, "SKU-2").await;
    house.wait_for_part("stream", "degraded").await;
    draft(&house, "SKU-3").await;
    let products = house.all("admin", "/v1/products").await;
    assert_eq!(products.len(), 3, "commands and queries go on");

    let jetstream = async_nats::jetstream::new(nats);
    let stream = jetstream.get_stream("kontor").await.unwrap();
    let last = stream.get_info().await.unwrap().state.last_sequence;
    let message = stream.get_raw_message(last).await.unwrap();
    assert_eq!(message.subject.as_str(), "kontor.-.foreign.message", "nothing is written over it");

    // The way out: delete it, and it is built anew.
    jetstream.delete_stream("kontor").await.unwrap();
    house.wait_for_part("stream", "ok").await;
    check_history(&house).await;
}

#[tokio::test]
async fn fault_commands_do_not_wait_for_a_nats_that_hangs() {
    let house = House::start().await;
    house.wait_for_part("stream", "ok").await;
    house.signal("nats_pid", Signal::SIGSTOP);
    for number in 0..10 {
        draft(&house, &format!("SKU-{number}")).await;
    }
    assert_eq!(house.all("admin", "/v1/products").await.len(), 10);
    house.signal("nats_pid", Signal::SIGCONT);
    check_history(&house).await;
}

async fn draft(house: &House, sku: &str) {
    let body = json!({ "sku": sku, "name": sku, "unit": "piece", "vat_rate": "23" });
    let done = house.post("admin", "/v1/products", &body).await;
    assert_eq!(done.status, 201, "{done:?}");
    // So that a list that is asked for next shows it.
    let path = format!("/v1/products?limit=1&after={}", done.body["position"]);
    assert_eq!(house.get("admin", &path).await.status, 200);
}

/// Every customer owes what the shop's accountant has counted.
async fn check_balances(house: &House, owed: &BTreeMap<String, i64>) {
    let balances: BTreeMap<String, i64> = house
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

/// Positions and versions have no gap, message n is event n (the relay may be a moment behind),
/// and live read models equal rebuilt ones.
pub(crate) async fn check_history(house: &House) {
    eventually("log and stream are the same history", async || house.succeeds(&["log", "verify"]))
        .await;
    let compared = house.run(&["projections", "compare", "all"]);
    for line in compared.lines() {
        assert!(line.trim_end().ends_with("[]"), "{compared}");
    }
}
