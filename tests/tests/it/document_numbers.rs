//! Numbers of offers, orders, shipments and payments.

use std::collections::BTreeSet;

use serde_json::json;

use crate::journeys::{Shop, created, refused};

#[tokio::test]
async fn documents_are_found_by_their_numbers() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let lines = json!([{ "sku": "RICE", "quantity": "2" }]);
    let (first, second) =
        (shop.confirmed_order(lines.clone()).await, shop.confirmed_order(lines).await);
    let offer = shop.sent_offer().await;
    let shipment = shop.dispatch(json!({ "order": first })).await["shipment"].clone();
    let payment = json!({
        "company": shop.grocer, "amount": { "amount": "1.00", "currency": "PLN" },
        "method": "transfer",
    });
    let payment = created(instance.post("accounting", "/v1/payments", &payment).await);
    let head = instance.settled().await;

    let mut numbers = BTreeSet::new();
    for (list, prefix, id) in [
        ("orders", "ORD/", first.as_str()),
        ("orders", "ORD/", second.as_str()),
        ("offers", "OFR/", offer.as_str()),
        ("shipments", "SHP/", shipment.as_str().unwrap()),
        ("payments", "PAY/", payment.as_str()),
    ] {
        let shown = instance.get("admin", &format!("/v1/{list}/{id}?wait_for={head}")).await.body;
        let number = shown["number"].as_str().unwrap().to_owned();
        assert!(number.starts_with(prefix), "{number}");
        for role in ["admin", "grocer"] {
            let path = format!("/v1/{list}?number={number}&limit=1");
            let found = instance.get(role, &path).await.body;
            let items = found["items"].as_array().unwrap();
            assert_eq!((items.len(), &items[0]["id"]), (1, &json!(id)), "{role}: {found}");
        }
        // Not to another company, nor as another kind of document or of another year.
        let others = instance.get("hotel", &format!("/v1/{list}?number={number}")).await;
        assert_eq!(others.body["items"], json!([]), "{number}");
        let (kind, rest) = number.split_once('/').unwrap();
        let year = rest.split_once('/').unwrap().1;
        for other in [format!("XXX/{rest}"), format!("{kind}/1999/{year}")] {
            let answer = instance.get("admin", &format!("/v1/{list}?number={other}")).await;
            match answer.status {
                200 => assert_eq!(answer.body["items"], json!([]), "{other}"),
                _ => refused(&answer, 400, "query.invalid"),
            }
        }
        assert!(numbers.insert(number));
    }
}
