//! Policies: each reaction is executed once, on current facts, and a refused one is recorded.

use std::{collections::BTreeSet, time::Duration};

use command_service::{
    Services,
    timers::{self, Failing},
};
use event_log::{EventLog, LogConfig};
use projections::Views;
use serde_json::{Value, json};
use service_kit::{access::Access, clock::Clock, health::State, postgres};

use crate::{
    forgery::forge,
    instance::{eventually, within},
    journeys::{Shop, accept, created, done, refused},
};

const ALLOCATION: &str = "booked_payment_is_allocated";

const HOLD_POLICY: &str = "SELECT FROM policy.checkpoints WHERE policy = $1 FOR UPDATE";
const HOLD_VIEW: &str = "SELECT FROM view.checkpoints WHERE projection = $1 FOR UPDATE";
const HOLDER: &str = "
    SELECT holder IS NOT NULL AND held_until > now() FROM policy.checkpoints WHERE policy = $1";
const LEASE: &str = "
    UPDATE policy.checkpoints
    SET holder = gen_random_uuid(), held_until = now() + $2::text::interval WHERE policy = $1";
/// Transactions of policies and read models that wait for their client.
const IDLE: &str = "
    SELECT query FROM pg_stat_activity
    WHERE state = 'idle in transaction' AND query LIKE '%policy.%' AND application_name = 'kontor views'";
const EXPIRED: &str = "SELECT stream_id FROM log.events WHERE event_type = 'offer.expired'";
const RUN_AGAIN: &str = "UPDATE policy.checkpoints SET position = 0";
/// So many events of a type that nothing reads, with so many bytes of payload.
const OTHERS: &str = "
    WITH head AS (UPDATE log.head SET position = position + $1 RETURNING position - $1 AS before)
    INSERT INTO log.events (
        position, event_id, stream_type, stream_id, version, event_type, schema_version, actor,
        command_id, correlation_id, recorded_at, payload
    )
    SELECT before + n, gen_random_uuid(), 'other', gen_random_uuid(), 1, 'other.noted', 1,
        'superuser', gen_random_uuid(), gen_random_uuid(), now(),
        '\"' || repeat('x', $2::int - 2) || '\"'
    FROM head, generate_series(1, $1::bigint) AS n";
const REFUSALS: &str = "
    SELECT policy, code, position FROM policy.refusals JOIN log.events USING (event_id, position)";
/// The number and the instant of each invoice, in the order in which the goods left.
const INVOICED: &str = "
    SELECT invoiced.payload::json->>'number', (extract(epoch FROM invoiced.recorded_at) * 1e6)::bigint
    FROM log.events dispatched JOIN log.events invoiced ON invoiced.causation_id = dispatched.event_id
    WHERE invoiced.event_type = 'invoice.issued' ORDER BY dispatched.position";
const SERIES: &str = "SELECT stream_id FROM log.events WHERE event_type = 'series.number_taken'";

#[tokio::test]
async fn policies_that_run_again_from_the_beginning_do_nothing_twice() {
    let shop = Shop::open().await;
    let Shop { instance, grocer, .. } = &shop;
    let offer = shop.sent_offer().await;
    done(accept(instance, "grocer", &offer).await);
    let order = shop.confirmed_order(json!([{ "sku": "COURSE", "quantity": "2" }])).await;
    shop.dispatch(json!({ "order": order })).await;
    created(instance.post("accounting", "/v1/payments", &payment(grocer, "100.00")).await);
    assert_eq!(shop.owes().await, ["200.00", "200.00", "0.00"]);
    let head = instance.settled().await;
    for _ in 0..3 {
        instance.database().await.execute(RUN_AGAIN, &[]).await.unwrap();
        assert_eq!(instance.settled().await, head);
    }
    assert_eq!(instance.all("grocer", "/v1/orders").await.len(), 2);
    assert_eq!(instance.all("grocer", "/v1/invoices").await.len(), 1);
    assert_eq!(shop.owes().await, ["200.00", "200.00", "0.00"]);
}

/// What it reads is in the table and not in memory, and most of that does not concern it.
#[tokio::test]
async fn a_policy_that_is_far_behind_catches_up() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let order = shop.confirmed_order(json!([{ "sku": "COURSE", "quantity": "1" }])).await;
    shop.dispatch(json!({ "order": order })).await;
    let database = instance.database().await;
    // More events than it reads at once, then more bytes than are kept in memory.
    for (events, bytes) in [(10_500_i64, 2_i32), (100, 200_000)] {
        database.execute(OTHERS, &[&events, &bytes]).await.unwrap();
    }
    let head = instance.settled().await;
    database.execute(RUN_AGAIN, &[]).await.unwrap();
    assert_eq!(instance.settled().await, head);
    assert_eq!(instance.all("accounting", "/v1/invoices").await.len(), 1);
}

/// It does not stop the policy: other months have numbers left.
#[tokio::test]
async fn a_refused_consequence_is_kept_for_review() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let order = shop.confirmed_order(json!([{ "sku": "COURSE", "quantity": "3" }])).await;
    let part = |on: &str| json!({ "order": order, "items": [{ "line": 1, "quantity": "1" }], "dispatched_on": on });
    let invoice = shop.dispatch(part("2026-03-20")).await;
    let database = instance.database().await;
    let series = database.query_one(SERIES, &[]).await.unwrap().get(0);
    let last = json!({
        "type": "number_taken", "number": "FV/2026/03/4294967295", "sequence": u32::MAX,
        "document": invoice["id"],
    });
    forge(&database, series, "series.number_taken", 1, &last).await;

    let refused = instance.post("warehouse", "/v1/shipments", &part("2026-03-21")).await;
    shop.dispatch(part("2026-04-01")).await;
    instance.settled().await;
    let rows = database.query(REFUSALS, &[]).await.unwrap();
    let rows: Vec<(&str, &str, i64)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let position = refused.body["position"].as_i64().unwrap();
    assert_eq!(rows, [("dispatch_issues_invoice", "series.exhausted", position)]);
    assert_eq!(instance.all("accounting", "/v1/invoices").await.len(), 2);
    let metrics = instance.text("/metrics").await;
    let alarm = r#"kontor_policy_refusals_total{policy="dispatch_issues_invoice"} 1"#;
    assert!(metrics.contains(alarm), "{metrics}");
}

/// The read model still shows an invoice as open that has been credited since: what the policy
/// makes of it is refused, and is decided anew on what is true now.
#[tokio::test]
async fn a_payment_is_allocated_on_facts_that_are_still_true() {
    let shop = Shop::open().await;
    let Shop { instance, grocer, .. } = &shop;
    let order = shop.confirmed_order(json!([{ "sku": "COURSE", "quantity": "1" }])).await;
    let invoice = shop.dispatch(json!({ "order": order })).await;
    instance.settled().await;
    let (mut one, mut other) = (instance.database().await, instance.database().await);
    let policy = one.transaction().await.unwrap();
    policy.execute(HOLD_POLICY, &[&ALLOCATION]).await.unwrap();
    let booked = instance.post("accounting", "/v1/payments", &payment(grocer, "150.00")).await;
    let path = format!("/v1/account-balances?wait_for={}", booked.body["position"]);
    assert_eq!(instance.get("accounting", &path).await.status, 200);
    let view = other.transaction().await.unwrap();
    view.execute(HOLD_VIEW, &[&"account_balances"]).await.unwrap();
    let credit = json!({
        "company": grocer, "corrects": invoice["id"], "currency": "PLN", "reason": "Zwrot",
        "lines": [{ "sku": "COURSE", "quantity": "1", "unit_price": "150.00" }],
    });
    created(instance.post("accounting", "/v1/credit-notes", &credit).await);
    policy.rollback().await.unwrap();
    // It decides with the invoice as it is, although the read model still shows it as open.
    eventually("the payment is dealt with", async || {
        let policies = instance.get("admin", "/v1/policies").await.body;
        let policy =
            policies.as_array()?.iter().find(|policy| policy["policy"] == ALLOCATION)?.clone();
        (policy["position"].as_u64()? >= booked.body["position"].as_u64()?).then_some(())
    })
    .await;
    view.rollback().await.unwrap();

    assert_eq!(shop.owes().await, ["-150.00", "0.00", "150.00"]);
    assert!(instance.database().await.query(REFUSALS, &[]).await.unwrap().is_empty());
    instance.wait_for_part(&format!("policy {ALLOCATION}"), "ok").await;
}

/// Numbers follow the order of dispatch, and invoices do not wait for one another's commits.
#[tokio::test]
async fn many_dispatches_are_invoiced_in_order_and_in_few_commits() {
    const DISPATCHES: usize = 100;
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let order = json!([{ "sku": "COURSE", "quantity": DISPATCHES.to_string() }]);
    let order = shop.confirmed_order(order).await;
    let mut database = instance.database().await;
    let policy = database.transaction().await.unwrap();
    policy.execute(HOLD_POLICY, &[&"dispatch_issues_invoice"]).await.unwrap();
    let part = json!({ "order": order, "items": [{ "line": 1, "quantity": "1" }] });
    let dispatched = (0..DISPATCHES).map(|_| instance.post("warehouse", "/v1/shipments", &part));
    for answer in futures::future::join_all(dispatched).await {
        created(answer);
    }
    policy.rollback().await.unwrap();
    let started = std::time::Instant::now();
    instance.settled().await;
    println!("{DISPATCHES} dispatches were invoiced within {:?}", started.elapsed());
    let rows = database.query(INVOICED, &[]).await.unwrap();
    let commits: BTreeSet<i64> = rows.iter().map(|row| row.get(1)).collect();
    let numbers = rows.iter().map(|row| row.get::<_, &str>(0).rsplit_once('/').unwrap().1);
    let numbers: Vec<usize> = numbers.map(|number| number.parse().unwrap()).collect();
    assert_eq!(numbers, (1..=DISPATCHES).collect::<Vec<_>>(), "in the order of dispatch");
    assert!(commits.len() <= DISPATCHES / 4, "{} commits", commits.len());
}

/// A policy that decides holds no lock, so whoever needs its row is not kept waiting.
#[tokio::test]
async fn no_transaction_is_open_while_a_policy_decides() {
    let shop = Shop::open().await;
    let Shop { instance, grocer, .. } = &shop;
    instance.settled().await;
    let mut other = instance.database().await;
    let view = other.transaction().await.unwrap();
    view.execute(HOLD_VIEW, &[&"account_balances"]).await.unwrap();
    created(instance.post("accounting", "/v1/payments", &payment(grocer, "150.00")).await);
    let database = instance.database().await;
    eventually("the policy decides", async || {
        let row = database.query_one(HOLDER, &[&ALLOCATION]).await.unwrap();
        row.get::<_, bool>(0).then_some(())
    })
    .await;
    // It waits for the read model, for up to five seconds at a time.
    let lock = format!("{HOLD_POLICY} NOWAIT");
    within(Duration::from_secs(3), "nobody has the row locked", async || {
        let is_free = database.execute(&lock, &[&ALLOCATION]).await.is_ok();
        let idle = database.query(IDLE, &[]).await.unwrap();
        (is_free && idle.is_empty()).then_some(())
    })
    .await;
    let row = database.query_one(HOLDER, &[&ALLOCATION]).await.unwrap();
    assert!(row.get::<_, bool>(0), "it still decides");
    view.rollback().await.unwrap();
    assert_eq!(shop.owes().await, ["-150.00", "0.00", "150.00"]);
}

#[tokio::test]
async fn a_policy_is_left_to_the_process_that_has_its_lease_until_that_runs_out() {
    let shop = Shop::open().await;
    let Shop { instance, grocer, .. } = &shop;
    let order = shop.confirmed_order(json!([{ "sku": "COURSE", "quantity": "1" }])).await;
    shop.dispatch(json!({ "order": order })).await;
    instance.settled().await;
    let database = instance.database().await;
    database.execute(LEASE, &[&ALLOCATION, &"1 hour"]).await.unwrap();
    let booked = instance.post("accounting", "/v1/payments", &payment(grocer, "150.00")).await;
    let position = booked.body["position"].as_u64().unwrap();
    let reached = async |policy: &str| {
        let policies = instance.get("admin", "/v1/policies").await.body;
        let policies = policies.as_array().unwrap().clone();
        let policy = policies.iter().find(|of| of["policy"] == policy).unwrap();
        policy["position"].as_u64().unwrap()
    };
    eventually("another policy goes on", async || {
        (reached("dispatch_issues_invoice").await >= position).then_some(())
    })
    .await;
    assert!(reached(ALLOCATION).await < position, "that is somebody else's work");
    database.execute(LEASE, &[&ALLOCATION, &"-1 second"]).await.unwrap();
    instance.settled().await;
    assert_eq!(shop.owes().await, ["0.00", "0.00", "0.00"]);
}

#[tokio::test]
async fn a_refused_consequence_is_tried_again_once() {
    let mut shop = Shop::open().await;
    shop.instance.make_key("auditor", "auditor", None).await;
    let (instance, grocer) = (&shop.instance, &shop.grocer);
    let order = shop.confirmed_order(json!([{ "sku": "COURSE", "quantity": "2" }])).await;
    let part = json!({ "order": order, "items": [{ "line": 1, "quantity": "1" }],
        "dispatched_on": "2026-03-20" });
    let invoice = shop.dispatch(part.clone()).await;
    let database = instance.database().await;
    let series = database.query_one(SERIES, &[]).await.unwrap().get(0);
    let number = |sequence: u32| {
        json!({ "type": "number_taken", "number": format!("FV/2026/03/{sequence:04}"),
            "sequence": sequence, "document": invoice["id"] })
    };
    forge(&database, series, "series.number_taken", 1, &number(u32::MAX)).await;
    let dispatched = instance.post("warehouse", "/v1/shipments", &part).await;
    instance.settled().await;

    let open = instance.all("auditor", "/v1/policies/refusals?state=open").await;
    assert_eq!(open.len(), 1, "{open:?}");
    let refusal = &open[0];
    let id = refusal["id"].as_str().unwrap();
    assert_eq!(
        (&refusal["policy"], &refusal["code"], &refusal["attempts"], &refusal["detail"]),
        (
            &json!("dispatch_issues_invoice"),
            &json!("series.exhausted"),
            &json!(1),
            &json!("the series has no numbers left")
        )
    );
    let event = &refusal["event"];
    assert_eq!(
        (&event["position"], &event["type"], &event["aggregate_id"], &event["company"]),
        (
            &dispatched.body["position"],
            &json!("shipment.dispatched"),
            &dispatched.body["id"],
            &json!(grocer)
        )
    );
    let other = "/v1/policies/refusals?policy=employee_keeps_keys";
    assert!(instance.all("admin", other).await.is_empty());
    refused(&instance.get("admin", "/v1/policies/refusals?policy=x").await, 400, "policy.unknown");
    refused(&instance.get("admin", "/v1/policies/refusals?state=x").await, 400, "query.invalid");

    let retry = format!("/v1/policies/refusals/{id}/retry");
    refused(&instance.post("auditor", &retry, &json!({})).await, 403, "role_not_allowed");
    let again = instance.post("admin", &retry, &json!({})).await;
    assert_eq!((again.status, &again.body["state"]), (200, &json!("open")), "{again:?}");
    assert_eq!((&again.body["attempts"], &again.body["code"]), (&json!(2), &refusal["code"]));
    assert!(again.body["tried_by"].as_str().unwrap().starts_with("key:"), "{again:?}");
    assert!(instance.run(&["policies"]).contains("series.exhausted"));

    // Mended: there are numbers again.
    forge(&database, series, "series.number_taken", 1, &number(1)).await;
    let nothing = json!({});
    let (one, other) = futures::future::join(
        instance.post("admin", &retry, &nothing),
        instance.post("admin", &retry, &nothing),
    )
    .await;
    for done in [one, other, instance.post("admin", &retry, &json!({})).await] {
        assert_eq!((done.status, &done.body["state"]), (200, &json!("done")), "{done:?}");
        assert_eq!(done.body["attempts"], 3);
        assert!(done.body["done_at"].as_u64() > dispatched.body["position"].as_u64());
    }
    instance.settled().await;
    assert_eq!(instance.all("accounting", "/v1/invoices").await.len(), 2);
    assert!(instance.all("admin", "/v1/policies/refusals?state=open").await.is_empty());
    assert_eq!(instance.all("admin", "/v1/policies/refusals?state=done").await.len(), 1);
    assert!(instance.run(&["policies", "retry"]).contains("nothing to retry"));
    let missing = "/v1/policies/refusals/00000000-0000-7000-8000-000000000000/retry";
    refused(&instance.post("admin", missing, &json!({})).await, 404, "not_found");
}

/// An offer whose history cannot be read is recorded; those after it lapse.
#[tokio::test]
async fn an_offer_that_cannot_be_read_does_not_keep_others_open() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let (unreadable, readable) = (shop.sent_offer().await, shop.sent_offer().await);
    instance.settled_in("/v1/offers").await;
    let database = instance.database().await;
    let id = unreadable.parse().unwrap();
    forge(&database, id, "offer.framed", 1, &json!({ "type": "framed" })).await;
    let url = instance.run_file()["database_url"].as_str().unwrap().to_owned();
    let log = EventLog::open(&LogConfig::new(&url)).await.unwrap();
    let pool = |name| postgres::pool(&url, name, 2).unwrap();
    let views = Views::open(pool("test views"), log.clone()).await.unwrap();
    let access = Access::new(pool("test access"));
    let clock = Clock::fixed("2100-01-01T00:00:00Z".parse().unwrap());
    let services = Services { log, views, access, clock };
    let failing = Failing::new("offers");
    assert_eq!(timers::expire_offers(&services, &failing).await.unwrap(), 1);
    let expired = database.query(EXPIRED, &[]).await.unwrap();
    let expired: Vec<uuid::Uuid> = expired.iter().map(|row| row.get(0)).collect();
    assert_eq!(expired, [readable.parse::<uuid::Uuid>().unwrap()]);
    let State::Degraded { detail } = failing.state() else { panic!("it fails") };
    assert!(detail.contains(&unreadable), "{detail}");
}

#[tokio::test]
async fn an_offer_lapses_when_its_last_day_is_over() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let offer = shop.sent_offer().await;
    instance.settled_in("/v1/offers").await;
    let url = instance.run_file()["database_url"].as_str().unwrap().to_owned();
    let log = EventLog::open(&LogConfig::new(&url)).await.unwrap();
    let pool = |name| postgres::pool(&url, name, 2).unwrap();
    let views = Views::open(pool("test views"), log.clone()).await.unwrap();
    let access = Access::new(pool("test access"));
    let at = async |instant: &str| {
        let clock = Clock::fixed(instant.parse().unwrap());
        let (log, views, access) = (log.clone(), views.clone(), access.clone());
        timers::expire_offers(&Services { log, views, access, clock }, &Failing::new("offers"))
            .await
            .unwrap()
    };
    assert_eq!(at("2099-12-31T23:59:59Z").await, 0, "it is open through its last day");
    assert_eq!(at("2100-01-01T00:00:00Z").await, 1);
    instance.settled_in("/v1/offers").await;
    let lapsed = instance.get("grocer", &format!("/v1/offers/{offer}")).await;
    assert_eq!(lapsed.body["status"], "expired", "{lapsed:?}");
    assert_eq!(at("2100-01-01T00:00:00Z").await, 0, "it has done so already");
}

fn payment(company: &str, amount: &str) -> Value {
    json!({
        "company": company, "method": "transfer",
        "amount": { "amount": amount, "currency": "PLN" },
    })
}
