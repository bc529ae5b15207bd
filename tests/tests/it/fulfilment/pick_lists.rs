//! Pick lists: what is to be picked is on one open list at most, and what was not found is picked
//! again.

use serde_json::{Value, json};

use crate::{
    instance::Answer,
    journeys::{Shop, created, done, refused},
};

const LISTS: &str = "/v1/pick-lists";

async fn act(shop: &Shop, id: &str, what: &str, body: Value) -> Answer {
    shop.instance.post("warehouse", &format!("{LISTS}/{id}/{what}"), &body).await
}

/// What the queue says is to be picked of an order, by line.
async fn to_pick(shop: &Shop, order: &str) -> Vec<(u64, String)> {
    let queue = shop.instance.all("warehouse", "/v1/pick-queue").await;
    let Some(queued) = queue.iter().find(|queued| queued["order"] == json!(order)) else {
        return vec![];
    };
    let line = |line: &Value| {
        (line["line"].as_u64().unwrap(), line["to_pick"].as_str().unwrap().to_owned())
    };
    queued["lines"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test]
async fn what_was_not_found_is_picked_again() {
    let shop = Shop::open().await;
    let lines = json!([{ "sku": "RICE", "quantity": "4" }, { "sku": "COFFEE", "quantity": "10" }]);
    let first = shop.confirmed_order(lines).await;
    let second = shop.confirmed_order(json!([{ "sku": "COFFEE", "quantity": "3" }])).await;
    let both = [(1, "4".to_owned()), (2, "10".to_owned())];
    assert_eq!(to_pick(&shop, &first).await, both);

    let body = json!({ "header": { "warehouse": "MAG-1", "wave": "1" },
        "orders": [{ "order": first }, { "order": second }] });
    let id = created(shop.instance.post("warehouse", LISTS, &body).await);
    let list = shop.instance.get("warehouse", &format!("{LISTS}/{id}")).await.body;
    let skus = |list: &Value| -> Vec<Value> {
        list["lines"].as_array().unwrap().iter().map(|line| line["sku"].clone()).collect()
    };
    assert_eq!(skus(&list), ["COFFEE", "COFFEE", "RICE"]);
    assert_eq!((&list["status"], &list["warehouse"]), (&json!("open"), &json!("MAG-1")));
    assert_eq!(to_pick(&shop, &first).await, []);
    let again = shop.instance.post("warehouse", LISTS, &body).await;
    refused(&again, 409, "picking.nothing_to_pick");

    refused(&act(&shop, &id, "complete", json!({})).await, 409, "pick_list.unreported");
    let unexplained = json!({ "picks": [{ "line": 1, "quantity": "9" }] });
    let answer = act(&shop, &id, "pick", unexplained).await;
    refused(&answer, 422, "pick_list.reason");
    assert_eq!(answer.body["errors"][0]["pointer"], "/picks/0/short");
    let order_of = |number: usize| list["lines"][number]["order"].clone();
    let coffee = if order_of(0) == json!(first) { [1, 2] } else { [2, 1] };
    let picks = json!({ "picks": [
        { "line": coffee[0], "quantity": "8", "short": "damaged", "note": "Rozdarte" },
        { "line": coffee[1], "quantity": "3" },
        { "line": 3, "short": "not_found" },
    ] });
    done(act(&shop, &id, "pick", picks.clone()).await);
    done(act(&shop, &id, "pick", picks).await);
    done(act(&shop, &id, "complete", json!({})).await);
    done(act(&shop, &id, "complete", json!({})).await);
    assert_eq!(to_pick(&shop, &first).await, [(1, "4".to_owned()), (2, "2".to_owned())]);
    assert_eq!(to_pick(&shop, &second).await, []);

    // What was picked leaves; the rest is still to be picked.
    let part = json!({ "order": first, "items": [{ "line": 2, "quantity": "8" }] });
    shop.dispatch(part).await;
    assert_eq!(to_pick(&shop, &first).await, [(1, "4".to_owned()), (2, "2".to_owned())]);
    let rest = json!({ "orders": [{ "order": first, "items": [{ "line": 2, "quantity": "3" }] }] });
    let answer = shop.instance.post("warehouse", LISTS, &rest).await;
    refused(&answer, 409, "picking.too_much");
    assert_eq!(answer.body["errors"][0]["pointer"], "/orders/0/items/0/quantity");
    let rest = json!({ "orders": [{ "order": first }] });
    let id = created(shop.instance.post("warehouse", LISTS, &rest).await);
    assert_eq!(to_pick(&shop, &first).await, []);
    done(act(&shop, &id, "cancel", json!({ "reason": "Zmiana trasy" })).await);
    done(act(&shop, &id, "cancel", json!({})).await);
    assert_eq!(to_pick(&shop, &first).await, [(1, "4".to_owned()), (2, "2".to_owned())]);
    let open = shop.instance.all("warehouse", &format!("{LISTS}?status=open")).await;
    assert_eq!(open.len(), 0);
    assert_eq!(shop.instance.all("warehouse", LISTS).await.len(), 2);

    // The company sees what was picked, and not how.
    shop.instance.settled().await;
    let timeline = format!("/v1/orders/{first}/timeline");
    let seen = shop.instance.all("grocer", &timeline).await;
    let picked: Vec<&Value> =
        seen.iter().filter(|entry| entry["event"] == "picking.picked").collect();
    let items = json!([{ "line": 2, "quantity": "8" }]);
    assert_eq!((picked.len(), &picked[0]["details"]["items"]), (1, &items));
    assert!(!seen.iter().any(|entry| entry["event"] == "picking.assigned"), "{seen:?}");
    let inside = shop.instance.all("warehouse", &timeline).await;
    assert!(inside.iter().any(|entry| entry["event"] == "picking.assigned"), "{inside:?}");
}

#[tokio::test]
async fn only_confirmed_orders_are_picked() {
    let shop = Shop::open().await;
    let order = json!({ "company": shop.grocer, "currency": "PLN",
        "lines": [{ "sku": "RICE", "quantity": "4" }] });
    let order = created(shop.instance.post("sales", "/v1/orders", &order).await);
    assert_eq!(to_pick(&shop, &order).await, []);
    let body = json!({ "orders": [{ "order": order }] });
    refused(&shop.instance.post("warehouse", LISTS, &body).await, 409, "order.not_confirmed");
    let none = json!({ "orders": [] });
    refused(&shop.instance.post("warehouse", LISTS, &none).await, 409, "pick_list.no_lines");
    done(shop.instance.post("sales", &format!("/v1/orders/{order}/confirm"), &json!({})).await);
    let twice = json!({ "orders": [{ "order": order }, { "order": order }] });
    refused(
        &shop.instance.post("warehouse", LISTS, &twice).await,
        422,
        "pick_list.line_named_twice",
    );
    let missing = "00000000-0000-7000-8000-000000000000";
    let unknown = json!({ "orders": [{ "order": missing }] });
    refused(&shop.instance.post("warehouse", LISTS, &unknown).await, 404, "order.unplaced");
    // The same list twice at once: one gets the goods.
    let lists = (0..4).map(|_| shop.instance.post("warehouse", LISTS, &body));
    let answers = futures::future::join_all(lists).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 1, "{answers:?}");
}
