//! An event that this build cannot apply: of a newer build, or malformed.

use serde_json::json;
use uuid::Uuid;

use super::{
    load::{Acknowledged, Load},
    site::Site,
    sound::{QUIET, check_commands},
};
use crate::{
    forgery::forge,
    instance::{Instance, eventually, within},
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
    let site = Site::with_instances(1).await;
    let (instance, database) = (&site.instances[0], site.database().await);
    let load = Load::start(&site.instances).await;
    load.goes_on(50).await;
    let mut ledger = load.finish().await;
    instance.settled().await;
    // So that the policy meets it on a page with a payment that it can read.
    let mut holder = site.database().await;
    let held = holder.transaction().await.unwrap();
    held.execute(HOLD, &[&POLICY]).await.unwrap();
    let payment = json!({
        "company": ledger.customers[0], "method": "transfer",
        "amount": { "amount": "1.00", "currency": "PLN" },
    });
    let answer = instance.post_with_key("admin", "/v1/payments", "last", &payment).await.body;
    let event = "payment.booked";
    ledger.commands.push(Acknowledged { event, customer: 0, owes: -1, answer });
    let framed = json!({ "type": "framed" });
    let position = forge(&database, Uuid::now_v7(), "payment.framed", 1, &framed).await;
    held.rollback().await.unwrap();
    eventually("the policy gets to the poison", async || {
        (policy(instance, POLICY).await? == position - 1).then_some(())
    })
    .await;
    let load = Load::start_for(&site.instances, ledger.customers.clone());
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
        instance.wait_for_part(&format!("read model {view}"), "degraded").await;
        let alarm = format!("kontor_projection_{metric}{{projection=\"{view}\"}} 1");
        assert!(instance.text("/metrics").await.contains(&alarm), "{alarm}");
    }
    let rows = database.query(FAILURES, &[&position.cast_signed()]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get::<_, &str>(0)).collect::<Vec<_>>(), [STOPS]);
    instance.wait_for_part(&format!("policy {POLICY}"), "degraded").await;
    let ready = instance.get("admin", "/health/ready").await;
    let said = format!("the event at position {position} cannot be read");
    assert!(ready.body.to_string().contains(&said), "{}", ready.body);
    assert_eq!(ready.status, 200, "requests are served");

    let head = instance.head().await.unwrap();
    within(QUIET, "other read models go on", async || {
        let status = instance.run(&["projections", "status"]);
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
        (policy(instance, "dispatch_issues_invoice").await? >= head).then_some(())
    })
    .await;
    within(QUIET, "the stream is the log", async || instance.succeeds(&["log", "verify"])).await;
    check_commands(&ledger, instance).await;
}

/// How far a policy has got.
async fn policy(instance: &Instance, name: &str) -> Option<u64> {
    let policies = instance.get("admin", "/v1/policies").await.body;
    policies.as_array()?.iter().find(|policy| policy["policy"] == name)?["position"].as_u64()
}
