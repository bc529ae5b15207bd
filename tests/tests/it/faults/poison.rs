//! A poison event: one of a build that is newer than this one, or that never was.

use serde_json::json;
use uuid::Uuid;

use super::{
    load::{Acknowledged, Load},
    site::Site,
    sound::{QUIET, check_commands},
};
use crate::{
    forgery::forge,
    house::{House, eventually, within},
};

const POISONED: &str = "payment";
/// What reads it and leaves its stream out from there on.
const LEAVES_OUT: &str = "payments";
/// What reads it and stops: an event of no company might belong to any account.
const STOPS: &str = "account_balances";
const POLICY: &str = "booked_payment_is_allocated";

const HOLD: &str = "SELECT FROM policy.checkpoints WHERE policy = $1 FOR UPDATE";
const FAILURES: &str = "
    SELECT projection FROM view.failures WHERE position = $1 ORDER BY projection";

/// It is left out or stops what would have to understand it, after all that came before it, and that is
/// said; nothing else stops.
#[tokio::test]
async fn fault_a_poison_event_stops_only_what_must_read_it() {
    let site = Site::with_houses(1).await;
    let (house, database) = (&site.houses[0], site.database().await);
    let load = Load::start(&site.houses).await;
    load.goes_on(50).await;
    let mut ledger = load.finish().await;
    house.settled().await;
    // So that the policy meets it on a page with a payment that it can read.
    let mut holder = site.database().await;
    let held = holder.transaction().await.unwrap();
    held.execute(HOLD, &[&POLICY]).await.unwrap();
    let payment = json!({
        "company": ledger.customers[0], "method": "transfer",
        "amount": { "amount": "1.00", "currency": "PLN" },
    });
    let answer = house.post_with_key("admin", "/v1/payments", "last", &payment).await.body;
    let event = "payment.booked";
    ledger.commands.push(Acknowledged { event, customer: 0, owes: -1, answer });
    let framed = json!({ "type": "framed" });
    let position = forge(&database, Uuid::now_v7(), "payment.framed", 1, &framed).await;
    held.rollback().await.unwrap();
    eventually("the policy gets to the poison", async || {
        (policy(house, POLICY).await? == position - 1).then_some(())
    })
    .await;
    let load = Load::start_for(&site.houses, ledger.customers.clone());
    load.goes_on(50).await;
    ledger.commands.extend(load.finish().await.commands);

    let mut readers: Vec<&str> = projections::views::ALL
        .iter()
        .filter(|view| view.reads.contains(&POISONED))
        .map(|view| view.name)
        .collect();
    readers.sort_unstable();
    assert_eq!(readers, [STOPS, LEAVES_OUT]);
    for (view, metric) in [(STOPS, "stopped"), (LEAVES_OUT, "set_aside")] {
        house.wait_for_part(&format!("read model {view}"), "degraded").await;
        let alarm = format!("kontor_projection_{metric}{{projection=\"{view}\"}} 1");
        assert!(house.text("/metrics").await.contains(&alarm), "{alarm}");
    }
    let rows = database.query(FAILURES, &[&position.cast_signed()]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get::<_, &str>(0)).collect::<Vec<_>>(), [STOPS]);
    house.wait_for_part(&format!("policy {POLICY}"), "degraded").await;
    let ready = house.get("admin", "/health/ready").await;
    let said = format!("the event at position {position} cannot be read");
    assert!(ready.body.to_string().contains(&said), "{}", ready.body);
    assert_eq!(ready.status, 200, "requests are served");

    let head = house.head().await.unwrap();
    within(QUIET, "other read models go on", async || {
        let status = house.run(&["projections", "status"]);
        let behind = |line: &str| {
            let (name, value) = line.split_once(' ').unwrap();
            // Other lines say what is set aside.
            name != STOPS && value.trim().parse::<u64>().is_ok_and(|position| position < head)
        };
        let aside = format!("set aside from position {position} on");
        assert!(status.contains(&aside), "{status}");
        (!status.lines().any(behind)).then_some(())
    })
    .await;
    eventually("other policies go on", async || {
        (policy(house, "dispatch_issues_invoice").await? >= head).then_some(())
    })
    .await;
    within(QUIET, "the stream is the log", async || house.succeeds(&["log", "verify"])).await;
    check_commands(&ledger, house).await;
}

/// How far a policy has got.
async fn policy(house: &House, name: &str) -> Option<u64> {
    let policies = house.get("admin", "/v1/policies").await.body;
    policies.as_array()?.iter().find(|policy| policy["policy"] == name)?["position"].as_u64()
}
