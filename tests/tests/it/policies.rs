//! What follows by itself: once, on true facts, and never unnoticed when a rule forbids it.

use command_service::{Services, timers};
use event_log::{EventLog, LogConfig};
use projections::Views;
use serde_json::{Value, json};
use service_kit::{access::Access, clock::Clock, postgres};

use crate::{
    forgery::forge,
    journeys::{Shop, accept, created, done},
};

const ALLOCATION: &str = "booked_payment_is_allocated";

const HOLD_POLICY: &str = "SELECT FROM policy.checkpoints WHERE policy = $1 FOR UPDATE";
const HOLD_VIEW: &str = "SELECT FROM view.checkpoints WHERE projection = $1 FOR UPDATE";
const RUN_AGAIN: &str = "UPDATE policy.checkpoints SET position = 0";
const REFUSALS: &str = "
    SELECT policy, code, position FROM policy.refusals JOIN log.events USING (event_id, position)";
const SERIES: &str = "SELECT stream_id FROM log.events WHERE event_type = 'series.number_taken'";

#[tokio::test]
async fn policies_that_run_again_from_the_beginning_do_nothing_twice() {
    let shop = Shop::open().await;
    let Shop { house, grocer, .. } = &shop;
    let offer = shop.sent_offer().await;
    done(accept(house, "grocer", &offer).await);
    let order = shop.confirmed_order(json!([{ "sku": "COURSE", "quantity": "2" }])).await;
    shop.dispatch(json!({ "order": order })).await;
    created(house.post("accounting", "/v1/payments", &payment(grocer, "100.00")).await);
    assert_eq!(shop.owes().await, ["200.00", "200.00", "0.00"]);
    let head = house.settled().await;
    for _ in 0..3 {
        house.database().await.execute(RUN_AGAIN, &[]).await.unwrap();
        assert_eq!(house.settled().await, head);
    }
    assert_eq!(house.all("grocer", "/v1/orders").await.len(), 2);
    assert_eq!(house.all("grocer", "/v1/invoices").await.len(), 1);
    assert_eq!(shop.owes().await, ["200.00", "200.00", "0.00"]);
}

/// It does not stop the policy: other months have numbers left.
#[tokio::test]
async fn a_consequence_that_is_refused_is_kept_for_somebody_to_look_at() {
    let shop = Shop::open().await;
    let house = &shop.house;
    let order = shop.confirmed_order(json!([{ "sku": "COURSE", "quantity": "3" }])).await;
    let part = |on: &str| json!({ "order": order, "items": [{ "line": 1, "quantity": "1" }], "dispatched_on": on });
    let invoice = shop.dispatch(part("2026-03-20")).await;
    let database = house.database().await;
    let series = database.query_one(SERIES, &[]).await.unwrap().get(0);
    let last = json!({
        "type": "number_taken", "number": "FV/2026/03/4294967295", "sequence": u32::MAX,
        "document": invoice["id"],
    });
    forge(&database, series, "series.number_taken", 1, &last).await;

    let refused = house.post("warehouse", "/v1/shipments", &part("2026-03-21")).await;
    shop.dispatch(part("2026-04-01")).await;
    house.settled().await;
    let rows = database.query(REFUSALS, &[]).await.unwrap();
    let rows: Vec<(&str, &str, i64)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let position = refused.body["position"].as_i64().unwrap();
    assert_eq!(rows, [("dispatch_issues_invoice", "series.exhausted", position)]);
    assert_eq!(house.all("accounting", "/v1/invoices").await.len(), 2);
    let metrics = house.text("/metrics").await;
    let alarm = r#"kontor_policy_refusals_total{policy="dispatch_issues_invoice"} 1"#;
    assert!(metrics.contains(alarm), "{metrics}");
}

/// The read model still shows an invoice as open that has been credited since: what the policy
/// makes of it is refused, and is decided anew on what is true now.
#[tokio::test]
async fn a_payment_is_allocated_on_facts_that_are_still_true() {
    let shop = Shop::open().await;
    let Shop { house, grocer, .. } = &shop;
    let order = shop.confirmed_order(json!([{ "sku": "COURSE", "quantity": "1" }])).await;
    let invoice = shop.dispatch(json!({ "order": order })).await;
    house.settled().await;
    let (mut one, mut other) = (house.database().await, house.database().await);
    let policy = one.transaction().await.unwrap();
    policy.execute(HOLD_POLICY, &[&ALLOCATION]).await.unwrap();
    let booked = house.post("accounting", "/v1/payments", &payment(grocer, "150.00")).await;
    let path = format!("/v1/account-balances?wait_for={}", booked.body["position"]);
    assert_eq!(house.get("accounting", &path).await.status, 200);
    let view = other.transaction().await.unwrap();
    view.execute(HOLD_VIEW, &[&"account_balances"]).await.unwrap();
    let credit = json!({
        "company": grocer, "corrects": invoice["id"], "currency": "PLN", "reason": "Zwrot",
        "lines": [{ "sku": "COURSE", "quantity": "1", "unit_price": "150.00" }],
    });
    created(house.post("accounting", "/v1/credit-notes", &credit).await);
    policy.rollback().await.unwrap();
    house.wait_for_part(&format!("policy {ALLOCATION}"), "degraded").await;
    view.rollback().await.unwrap();

    assert_eq!(shop.owes().await, ["-150.00", "0.00", "150.00"]);
    assert!(house.database().await.query(REFUSALS, &[]).await.unwrap().is_empty());
    house.wait_for_part(&format!("policy {ALLOCATION}"), "ok").await;
}

#[tokio::test]
async fn an_offer_lapses_when_its_last_day_is_over() {
    let shop = Shop::open().await;
    let house = &shop.house;
    let offer = shop.sent_offer().await;
    house.settled().await;
    let url = house.run_file()["database_url"].as_str().unwrap().to_owned();
    let log = EventLog::open(&LogConfig::new(&url)).await.unwrap();
    let pool = |name| postgres::pool(&url, name, 2).unwrap();
    let views = Views::open(pool("test views"), log.clone()).await.unwrap();
    let access = Access::new(pool("test access"));
    let at = async |instant: &str| {
        let clock = Clock::fixed(instant.parse().unwrap());
        let (log, views, access) = (log.clone(), views.clone(), access.clone());
        timers::expire_offers(&Services { log, views, access, clock }).await.unwrap()
    };
    assert_eq!(at("2099-12-31T23:59:59Z").await, 0, "it is open through its last day");
    assert_eq!(at("2100-01-01T00:00:00Z").await, 1);
    house.settled().await;
    let lapsed = house.get("grocer", &format!("/v1/offers/{offer}")).await;
    assert_eq!(lapsed.body["status"], "expired", "{lapsed:?}");
    assert_eq!(at("2100-01-01T00:00:00Z").await, 0, "it has done so already");
}

fn payment(company: &str, amount: &str) -> Value {
    json!({
        "company": company, "method": "transfer",
        "amount": { "amount": amount, "currency": "PLN" },
    })
}
