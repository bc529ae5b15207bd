//! Orders that are cancelled after a part was shipped.

use serde_json::json;

use crate::journeys::{Shop, created, done, refused};

#[tokio::test]
async fn the_rest_of_an_order_can_be_cancelled() {
    let mut shop = Shop::open().await;
    let grocer = shop.grocer.clone();
    let ewa = shop.instance.engage("Ewa", "purchaser", Some(&grocer)).await;
    let instance = &shop.instance;
    let limit = json!({ "per": "month", "limit": { "amount": "100.00", "currency": "PLN" } });
    done(instance.post("admin", &format!("/v1/employees/{ewa}/limits"), &limit).await);
    let order = |quantity: &str| json!({ "currency": "PLN", "lines": [{ "sku": "COFFEE", "quantity": quantity }] });
    let id = created(instance.post("Ewa", "/v1/orders", &order("10")).await);
    done(instance.post("sales", &format!("/v1/orders/{id}/confirm"), &json!({})).await);
    let part = json!({ "order": id, "items": [{ "line": 1, "quantity": "4" }] });
    shop.dispatch(part.clone()).await;
    let (path, cancel) = (format!("/v1/orders/{id}/cancel"), json!({ "reason": "Brak towaru" }));
    refused(&instance.post("Ewa", &path, &cancel).await, 409, "order.already_confirmed");
    done(instance.post("sales", &path, &cancel).await);
    done(instance.post("sales", &path, &cancel).await);
    let answer = instance.post("warehouse", "/v1/shipments", &part).await;
    refused(&answer, 409, "order.already_shipped");
    // Forty of a hundred are spent.
    let fits = created(instance.post("Ewa", "/v1/orders", &order("6")).await);
    let asks = created(instance.post("Ewa", "/v1/orders", &order("1")).await);
    instance.settled().await;
    let shown = async |id: &str| instance.get("Ewa", &format!("/v1/orders/{id}")).await.body;
    let closed = shown(&id).await;
    assert_eq!((&closed["status"], &closed["reason"]), (&json!("shipped"), &json!("Brak towaru")));
    assert_eq!(
        (&closed["shipped"], &closed["cancelled"]),
        (&json!({ "1": "4" }), &json!({ "1": "6" }))
    );
    assert_eq!(shown(&fits).await["status"], "placed");
    assert_eq!(shown(&asks).await["status"], "awaiting_approval");
}
