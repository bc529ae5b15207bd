//! Shipments from preparation to delivery: several of one order, several orders in one, failed
//! deliveries, and what the company sees of all that.

use serde_json::{Value, json};

use crate::{
    instance::Answer,
    journeys::{Shop, created, done, refused},
    sales::documents::words,
};

async fn act(shop: &Shop, id: &str, what: &str, body: Value) -> Answer {
    shop.instance.post("warehouse", &format!("/v1/shipments/{id}/{what}"), &body).await
}

async fn shown(shop: &Shop, who: &str, path: &str) -> Value {
    shop.instance.settled().await;
    let answer = shop.instance.get(who, path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.body
}

async fn prepare(shop: &Shop, orders: Value) -> String {
    let body = json!({ "orders": orders });
    created(shop.instance.post("warehouse", "/v1/shipments/prepare", &body).await)
}

/// One parcel of so much of line 1.
fn parcel(order: &str, line: u32, quantity: &str) -> Value {
    json!({ "weight_grams": 1500, "contents": [
        { "order": order, "line": line, "quantity": quantity }
    ] })
}

async fn events(shop: &Shop, who: &str, order: &str) -> Vec<String> {
    shop.instance.settled().await;
    let entries = shop.instance.all(who, &format!("/v1/orders/{order}/timeline")).await;
    entries.iter().map(|entry| entry["event"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_order_leaves_in_three_shipments() {
    let shop = Shop::open().await;
    let lines = json!([{ "sku": "COFFEE", "quantity": "10" }, { "sku": "RICE", "quantity": "4" }]);
    let order = shop.confirmed_order(lines).await;
    let path = format!("/v1/orders/{order}");
    let first = json!({ "order": order, "items": [{ "line": 1, "quantity": "3" }] });
    let first = created(shop.instance.post("warehouse", "/v1/shipments", &first).await);
    let part = json!([{ "order": order, "items": [{ "line": 1, "quantity": "5" }] }]);
    let second = prepare(&shop, part).await;
    let before = shown(&shop, "grocer", &path).await;
    assert_eq!(before["progress"][0]["outstanding"], "7", "what is prepared is outstanding");
    let packed = json!({ "parcels": [parcel(&order, 1, "2"), parcel(&order, 1, "3")] });
    done(act(&shop, &second, "pack", packed.clone()).await);
    done(act(&shop, &second, "pack", packed).await);
    done(act(&shop, &second, "dispatch", json!({ "courier": "DPD", "tracking": "T-2" })).await);
    done(act(&shop, &second, "dispatch", json!({})).await);
    let third = prepare(&shop, json!([{ "order": order }])).await;
    done(act(&shop, &third, "dispatch", json!({})).await);

    let proof = json!({ "received_by": "Jan Nowak", "at": jiff::Timestamp::now(),
        "document": { "name": "pod.pdf", "url": "https://example.pl/pod.pdf" } });
    done(act(&shop, &first, "deliver", proof.clone()).await);
    let body = shown(&shop, "grocer", &path).await;
    assert_eq!(
        (&body["status"], &body["fulfilment"]),
        (&json!("shipped"), &json!("part_delivered"))
    );
    assert_eq!(
        body["progress"],
        json!([
            { "line": 1, "ordered": "10", "confirmed": "10", "shipped": "10", "delivered": "3",
                "outstanding": "0", "cancelled": "0" },
            { "line": 2, "ordered": "4", "confirmed": "4", "shipped": "4", "delivered": "0",
                "outstanding": "0", "cancelled": "0" },
        ])
    );
    let fail = json!({ "reason": "absent", "note": "Zamknięte" });
    done(act(&shop, &second, "fail", fail).await);
    let failed = shown(&shop, "grocer", &format!("/v1/shipments/{second}")).await;
    assert_eq!(
        (&failed["status"], &failed["failed_deliveries"], &failed["last_failure"]["reason"]),
        (&json!("delivery_failed"), &json!(1), &json!("absent"))
    );
    done(act(&shop, &second, "deliver", proof.clone()).await);
    done(act(&shop, &second, "deliver", proof.clone()).await);
    let late = json!({ "received_by": "Kto inny" });
    refused(&act(&shop, &second, "deliver", late).await, 409, "shipment.already_delivered");
    done(act(&shop, &third, "deliver", proof).await);

    let body = shown(&shop, "grocer", &path).await;
    assert_eq!(body["fulfilment"], "delivered");
    let seen = shown(&shop, "grocer", &format!("/v1/shipments/{second}")).await;
    assert_eq!(seen["status"], "delivered");
    assert_eq!(seen["proof"]["received_by"], "Jan Nowak");
    assert_eq!(seen["proof"]["document"]["url"], "https://example.pl/pod.pdf");
    assert_eq!(seen["parcels"].as_array().unwrap().len(), 2);
    assert_eq!((&seen["courier"], &seen["tracking"]), (&json!("DPD"), &json!("T-2")));
    let listed = shop.instance.all("grocer", &format!("/v1/shipments?order={order}")).await;
    assert_eq!(listed.len(), 3);
    let invoices = shop.instance.all("accounting", "/v1/invoices").await;
    assert_eq!(invoices.len(), 3, "one per shipment");

    let seen = events(&shop, "grocer", &order).await;
    for (event, count) in [
        ("order.placed", 1),
        ("order.confirmed", 1),
        ("shipment.prepared", 2),
        ("shipment.packed", 1),
        ("shipment.dispatched", 3),
        ("order.part_shipped", 2),
        ("order.shipped", 1),
        ("shipment.delivery_failed", 1),
        ("shipment.delivered", 3),
        ("invoice.issued", 3),
    ] {
        let found = seen.iter().filter(|seen| *seen == event).count();
        assert_eq!(found, count, "{event}: {seen:?}");
    }
    let inside = events(&shop, "warehouse", &order).await;
    assert!(!inside.iter().any(|event| event.starts_with("invoice.")), "{inside:?}");
}

#[tokio::test]
async fn two_orders_leave_in_one_shipment_with_an_invoice_each() {
    let shop = Shop::open().await;
    let first = shop.confirmed_order(json!([{ "sku": "COFFEE", "quantity": "2" }])).await;
    let second = shop.confirmed_order(json!([{ "sku": "RICE", "quantity": "6" }])).await;
    let id = prepare(&shop, json!([{ "order": first }, { "order": second }])).await;
    let together = json!({ "parcels": [{ "weight_grams": 7000, "tracking": "T-1", "contents": [
        { "order": first, "line": 1, "quantity": "2" },
        { "order": second, "line": 1, "quantity": "6" },
    ] }] });
    done(act(&shop, &id, "pack", together).await);
    let prepared = shown(&shop, "warehouse", &format!("/v1/shipments/{id}")).await;
    assert_eq!((&prepared["status"], &prepared["order"]), (&json!("packed"), &Value::Null));
    let key = "dispatch-1";
    let path = format!("/v1/shipments/{id}/dispatch");
    done(shop.instance.post_with_key("warehouse", &path, key, &json!({})).await);
    done(shop.instance.post_with_key("warehouse", &path, key, &json!({})).await);
    shop.instance.settled().await;
    let mut invoiced: Vec<(Value, Value)> = Vec::new();
    for invoice in shop.instance.all("grocer", "/v1/invoices").await {
        assert_eq!(invoice["shipment"], json!(id));
        invoiced.push((invoice["order"].clone(), invoice["totals"]["net"]["amount"].clone()));
    }
    invoiced.sort_by_key(|(_, net)| net.to_string());
    let expected = [(json!(second), json!("12.00")), (json!(first), json!("20.00"))];
    assert_eq!(invoiced, expected);
    for order in [&first, &second] {
        let body = shown(&shop, "grocer", &format!("/v1/orders/{order}")).await;
        assert_eq!((&body["status"], &body["shipments"]), (&json!("shipped"), &json!([id])));
        let listed = shop.instance.all("grocer", &format!("/v1/shipments?order={order}")).await;
        assert_eq!(listed.len(), 1);
        let seen = events(&shop, "grocer", order).await;
        assert_eq!(seen.iter().filter(|event| *event == "invoice.issued").count(), 1, "{seen:?}");
        assert!(seen.iter().any(|event| event == "shipment.packed"), "{seen:?}");
    }
    let body = shown(&shop, "grocer", &format!("/v1/shipments/{id}")).await;
    assert_eq!((&body["order"], &body["further"][0]["order"]), (&json!(first), &json!(second)));
    assert_eq!(body["tracking"], "T-1");
    let advice = format!("/v1/shipments/{id}/despatch-advice");
    let pdf = words(&shop.instance, "grocer", &advice).await;
    assert!(pdf.contains("Awizo wysyłki") && pdf.contains("COFFEE"), "{pdf}");
    let ubl = shop.instance.file("grocer", &format!("{advice}/ubl")).await;
    let ubl = String::from_utf8(ubl).unwrap();
    assert!(ubl.contains("<cbc:RegistrationName>Delikatesy</cbc:RegistrationName>"), "{ubl}");
    assert_eq!(ubl.matches("<cac:DespatchLine>").count(), 2, "{ubl}");
    for path in [advice.clone(), format!("{advice}/ubl")] {
        assert_eq!(shop.instance.get("hotel", &path).await.status, 404, "{path}");
    }

    let back = json!({ "note": "Nie odebrano" });
    done(act(&shop, &id, "return-to-sender", back.clone()).await);
    done(act(&shop, &id, "return-to-sender", back).await);
    let fail = json!({ "reason": "refused" });
    refused(&act(&shop, &id, "fail", fail).await, 409, "shipment.returned");
    let body = shown(&shop, "grocer", &format!("/v1/orders/{first}")).await;
    assert_eq!(body["fulfilment"], "shipped", "nothing was delivered");
}

#[tokio::test]
async fn what_cannot_leave_is_not_prepared_or_packed() {
    let shop = Shop::open().await;
    let order = shop.confirmed_order(json!([{ "sku": "COFFEE", "quantity": "4" }])).await;
    let of_hotel = json!({ "company": shop.hotel, "currency": "PLN",
        "lines": [{ "sku": "RICE", "quantity": "1" }] });
    let of_hotel = created(shop.instance.post("sales", "/v1/orders", &of_hotel).await);
    let confirm = format!("/v1/orders/{of_hotel}/confirm");
    let placed = json!([{ "order": of_hotel }]);
    let some = |quantity: &str| json!([{ "line": 1, "quantity": quantity }]);
    let two = json!([{ "line": 1, "quantity": "1" }, { "line": 1, "quantity": "1" }]);
    let missing = "00000000-0000-7000-8000-000000000000";
    for (orders, status, code, pointer) in [
        (json!([]), 422, "shipment.no_orders", "/orders"),
        (placed.clone(), 409, "order.not_confirmed", "/orders/0/order"),
        (json!([{ "order": missing }]), 404, "order.unplaced", "/orders/0/order"),
        (
            json!([{ "order": order }, { "order": order }]),
            422,
            "shipment.order_named_twice",
            "/orders/1/order",
        ),
        (
            json!([{ "order": order, "items": some("5") }]),
            409,
            "order.too_much",
            "/orders/0/items/0/quantity",
        ),
        (
            json!([{ "order": order, "items": two }]),
            422,
            "order.line_named_twice",
            "/orders/0/items/1/line",
        ),
        (
            json!([{ "order": order, "items": some("0.5") }]),
            422,
            "product.indivisible",
            "/orders/0/items/0/quantity",
        ),
    ] {
        let body = json!({ "orders": orders });
        let answer = shop.instance.post("warehouse", "/v1/shipments/prepare", &body).await;
        refused(&answer, status, code);
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{answer:?}");
    }
    done(shop.instance.post("sales", &confirm, &json!({})).await);
    let mixed = json!({ "orders": [{ "order": order }, { "order": of_hotel }] });
    let answer = shop.instance.post("warehouse", "/v1/shipments/prepare", &mixed).await;
    refused(&answer, 422, "shipment.other_company");

    let id = prepare(&shop, json!([{ "order": order }])).await;
    for (parcels, code, pointer) in [
        (json!([]), "shipment.no_parcels", "/parcels"),
        (json!([parcel(&order, 1, "3")]), "shipment.not_all_packed", "/parcels"),
        (
            json!([parcel(&order, 1, "3"), parcel(&order, 1, "2")]),
            "shipment.too_much_packed",
            "/parcels/1/contents/0/quantity",
        ),
        (json!([parcel(&order, 2, "4")]), "shipment.not_in_shipment", "/parcels/0/contents/0/line"),
        (
            json!([{ "weight_grams": 30_000_001, "contents": [
                { "order": order, "line": 1, "quantity": "4" } ] }]),
            "shipment.weight_out_of_range",
            "/parcels/0/weight_grams",
        ),
    ] {
        let answer = act(&shop, &id, "pack", json!({ "parcels": parcels })).await;
        refused(&answer, 422, code);
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{answer:?}");
    }
    let deliver = json!({ "received_by": "Jan Nowak" });
    refused(&act(&shop, &id, "deliver", deliver.clone()).await, 409, "shipment.not_dispatched");
    refused(&act(&shop, missing, "deliver", deliver).await, 404, "shipment.unprepared");
    // Meanwhile the order is cancelled: nothing of it leaves, and the preparation ends.
    let cancel = format!("/v1/orders/{order}/cancel");
    done(shop.instance.post("sales", &cancel, &json!({ "reason": "Brak towaru" })).await);
    refused(&act(&shop, &id, "dispatch", json!({})).await, 409, "order.cancelled");
    done(act(&shop, &id, "cancel", json!({})).await);
    done(act(&shop, &id, "cancel", json!({})).await);
    refused(&act(&shop, &id, "dispatch", json!({})).await, 409, "shipment.cancelled");
    let listed = shop.instance.all("warehouse", "/v1/shipments?status=cancelled").await;
    assert_eq!(listed.len(), 1);
    let body = shown(&shop, "grocer", &format!("/v1/orders/{order}")).await;
    assert_eq!(
        (&body["fulfilment"], &body["progress"][0]["cancelled"]),
        (&json!("cancelled"), &json!("4"))
    );
}

#[tokio::test]
async fn a_company_sees_its_own_shipments_and_nobody_of_the_seller() {
    let shop = Shop::open().await;
    let order = shop.confirmed_order(json!([{ "sku": "COFFEE", "quantity": "4" }])).await;
    let id = prepare(&shop, json!([{ "order": order }])).await;
    done(act(&shop, &id, "dispatch", json!({})).await);
    shop.instance.settled().await;
    for path in [format!("/v1/shipments/{id}"), format!("/v1/orders/{order}/timeline")] {
        assert_eq!(shop.instance.get("grocer", &path).await.status, 200, "{path}");
        assert_eq!(shop.instance.get("hotel", &path).await.status, 404, "{path}");
    }
    let path = format!("/v1/orders/{order}/timeline?limit=2");
    let first = shop.instance.get("grocer", &path).await.body;
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    assert!(first["next_cursor"].is_string());
    for entry in shop.instance.all("grocer", &format!("/v1/orders/{order}/timeline")).await {
        let actor = entry["actor"].as_str().unwrap();
        assert!(actor == "seller" || actor.starts_with("policy:"), "{entry}");
    }
    let inside = shop.instance.all("auditor", &format!("/v1/orders/{order}/timeline")).await;
    assert!(inside[0]["actor"].as_str().unwrap().starts_with("key:"), "{inside:?}");
}
