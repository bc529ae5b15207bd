//! Order lists: kept by companies, private or shared, with products but without prices.

use serde_json::{Value, json};

use super::carts::Counter;
use crate::journeys::{created, done, refused};

#[tokio::test]
async fn a_list_is_kept_shared_and_discarded() {
    let counter = Counter::open().await;
    let instance = counter.instance();
    let make = json!({ "name": "Co tydzień" });
    let list = created(instance.post("Ewa", "/v1/order-lists", &make).await);
    let path = format!("/v1/order-lists/{list}");
    let post = |who: &'static str, what: &str, body: Value| {
        let path = format!("{path}/{what}");
        async move { instance.post(who, &path, &body).await }
    };
    let rows = json!({ "rows": [{ "sku": "COFFEE", "quantity": "2" },
        { "gtin": "5901234123457", "quantity": "1" }, { "sku": "COFFEE", "quantity": "1" }] });
    done(post("Ewa", "lines", rows).await);
    let lines = instance.all("Ewa", &format!("{path}/lines")).await;
    assert_eq!((&lines[0]["quantity"], &lines[1]["quantity"]), (&json!("3"), &json!("6")));
    assert_eq!(lines[1]["packaging"], "carton");
    let wrong =
        json!({ "rows": [{ "sku": "RICE", "quantity": "6" }, { "sku": "X", "quantity": "1" }] });
    let answer = post("Ewa", "lines", wrong).await;
    refused(&answer, 422, "lines.invalid");
    assert_eq!(answer.body["errors"][0]["pointer"], "/rows/1");
    for who in ["Jan", "hotel", "sales"] {
        assert_eq!(instance.get(who, &path).await.status, 404, "{who}");
        assert_eq!(post(who, "share", json!({})).await.status, 404, "{who}");
    }
    done(post("Ewa", "share", json!({})).await);
    done(post("Jan", "rename", json!({ "name": "Co miesiąc" })).await);
    done(post("Jan", "lines/change", json!({ "lines": [{ "line": 2, "quantity": "7" }] })).await);
    done(post("Jan", "lines/remove", json!({ "lines": [1, 9] })).await);
    let lines = instance.all("Ewa", &format!("{path}/lines")).await;
    assert_eq!(lines.len(), 1);
    assert_eq!((&lines[0]["line"], &lines[0]["quantity"]), (&json!(2), &json!("12")));
    assert_eq!(lines[0]["changed_by"]["name"], "Jan");
    let shown = instance.get("Ewa", &path).await.body;
    assert_eq!((&shown["name"], &shown["line_count"]), (&json!("Co miesiąc"), &json!(1)));
    assert_eq!(instance.get("hotel", &path).await.status, 404);
    refused(&post("Jan", "unshare", json!({})).await, 409, "order_list.not_the_owner");
    done(post("Ewa", "discard", json!({})).await);
    assert_eq!(instance.get("Ewa", &path).await.status, 404);
    refused(&post("Ewa", "rename", json!({ "name": "X" })).await, 409, "order_list.discarded");
}
