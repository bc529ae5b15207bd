//! Promised days of delivery, and orders that are late or about to be.

use jiff::ToSpan;
use serde_json::{Value, json};

use crate::journeys::{Shop, created, done, refused, today};

#[tokio::test]
async fn an_order_is_shown_before_it_is_late() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let lines = json!([{ "sku": "COFFEE", "quantity": "2" }]);
    let [soon, later, shipped] = [
        shop.confirmed_order(lines.clone()).await,
        shop.confirmed_order(lines.clone()).await,
        shop.confirmed_order(lines.clone()).await,
    ];
    let promise = async |order: &str, body: Value| {
        instance.post("sales", &format!("/v1/orders/{order}/promise"), &body).await
    };
    let today = today();
    let in_a_year = today.saturating_add(1.year());
    done(promise(&soon, json!({ "promised_on": in_a_year })).await);
    done(promise(&soon, json!({ "promised_on": today })).await);
    done(promise(&soon, json!({ "promised_on": today })).await);
    done(promise(&later, json!({ "available_on": in_a_year, "transit_days": 2 })).await);
    done(promise(&shipped, json!({ "promised_on": today })).await);
    shop.dispatch(json!({ "order": shipped })).await;

    let yesterday = today.saturating_sub(1.day());
    let answer = promise(&later, json!({ "promised_on": yesterday })).await;
    refused(&answer, 422, "order.promised_in_past");
    assert_eq!(answer.body["errors"][0]["pointer"], "/promised_on");
    let both = json!({ "promised_on": today, "available_on": today });
    refused(&promise(&later, both).await, 422, "order.promise_ambiguous");
    refused(&promise(&later, json!({})).await, 422, "order.promise_ambiguous");
    let placed = json!({ "company": shop.grocer, "currency": "PLN", "lines": lines });
    let placed = created(instance.post("sales", "/v1/orders", &placed).await);
    let early = promise(&placed, json!({ "promised_on": today })).await;
    refused(&early, 409, "order.not_confirmed");
    let after = promise(&shipped, json!({ "promised_on": in_a_year })).await;
    refused(&after, 409, "order.already_shipped");

    instance.settled().await;
    for who in ["warehouse", "grocer"] {
        let late = instance.all(who, "/v1/late-orders").await;
        assert_eq!(late.len(), 1, "{late:?}");
        assert_eq!((&late[0]["id"], &late[0]["is_late"]), (&json!(soon), &json!(false)));
        assert_eq!(late[0]["promised_on"], json!(today));
    }
    assert_eq!(instance.all("hotel", "/v1/late-orders").await.len(), 0);
    let other = instance.get("hotel", &format!("/v1/late-orders?company={}", shop.grocer)).await;
    assert_eq!(other.status, 404);
    assert_eq!(instance.get("sales", "/v1/late-orders?within=61").await.status, 400);
    let shown = instance.get("grocer", &format!("/v1/orders/{later}")).await.body;
    let promised: jiff::civil::Date = shown["promised_on"].as_str().unwrap().parse().unwrap();
    assert!(promised > in_a_year, "two working days later: {promised}");
}
