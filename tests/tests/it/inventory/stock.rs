//! Stock over HTTP: what arrives is reserved, split, waited for, shipped, counted and returned.

use serde_json::{Value, json};

use crate::journeys::{Shop, created, done, refused};

/// A shop with two warehouses.
pub(super) struct Depot {
    pub(super) shop: Shop,
    pub(super) waw: String,
    pub(super) krk: String,
}

impl Depot {
    pub(super) async fn open() -> Self {
        let shop = Shop::open().await;
        let open = async |code: &str| {
            let body = json!({ "code": code, "name": code });
            created(shop.instance.post("admin", "/v1/warehouses", &body).await)
        };
        let (waw, krk) = (open("WAW").await, open("KRK").await);
        Self { shop, waw, krk }
    }

    pub(super) async fn product(&self, sku: &str) -> String {
        let found = self.shop.instance.get("admin", &format!("/v1/products?sku={sku}")).await;
        found.body["items"][0]["id"].as_str().unwrap().to_owned()
    }

    pub(super) async fn does(&self, product: &str, what: &str, body: Value) {
        let path = format!("/v1/stock/{product}/{what}");
        done(self.shop.instance.post("warehouse", &path, &body).await);
    }

    pub(super) async fn order(&self, lines: Value) -> String {
        let order = json!({ "currency": "PLN", "lines": lines });
        created(self.shop.instance.post("grocer", "/v1/orders", &order).await)
    }

    pub(super) async fn confirm(&self, order: &str, body: Value) {
        let path = format!("/v1/orders/{order}/confirm");
        done(self.shop.instance.post("sales", &path, &body).await);
    }

    /// On hand and reserved in the first and in the second warehouse.
    pub(super) async fn levels(&self, product: &str) -> [String; 2] {
        let path = format!("/v1/stock/{product}/warehouses");
        let levels = self.shop.instance.all("warehouse", &path).await;
        [&self.waw, &self.krk].map(|warehouse| {
            let level = levels.iter().find(|level| level["warehouse"] == json!(warehouse));
            let word = |level: &Value, what: &str| level[what].as_str().unwrap().to_owned();
            level.map_or(String::new(), |level| {
                format!("{} {}", word(level, "on_hand"), word(level, "reserved"))
            })
        })
    }

    /// What waits, by order.
    pub(super) async fn backorders(&self, role: &str) -> Vec<(String, String)> {
        let backorders = self.shop.instance.all(role, "/v1/backorders").await;
        let word = |one: &Value, what: &str| one[what].as_str().unwrap().to_owned();
        backorders.iter().map(|one| (word(one, "order"), word(one, "waiting"))).collect()
    }

    /// What the catalogue says is available.
    pub(super) async fn available(&self, sku: &str) -> (Value, Value) {
        let page = self.shop.instance.get("grocer", "/v1/catalogue").await.body;
        let items = page["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["sku"] == sku).unwrap();
        (item["stock"]["available"].clone(), item["stock"]["expected"].clone())
    }
}

#[tokio::test]
async fn an_order_is_reserved_split_waited_for_and_shipped() {
    let depot = Depot::open().await;
    let Depot { shop, waw, krk } = &depot;
    let instance = &shop.instance;
    let coffee = depot.product("COFFEE").await;
    depot.does(&coffee, "receive", json!({ "warehouse": waw, "quantity": "10" })).await;
    depot.does(&coffee, "receive", json!({ "warehouse": krk, "quantity": "4" })).await;
    assert_eq!(depot.available("COFFEE").await.0, "14");

    // No warehouse has all of it.
    let lines = json!([{ "sku": "COFFEE", "quantity": "12" }, { "sku": "RICE", "quantity": "3" }]);
    let first = depot.order(lines).await;
    depot.confirm(&first, json!({ "warehouse": krk })).await;
    depot.confirm(&first, json!({})).await;
    assert_eq!(depot.levels(&coffee).await, ["10 8", "4 4"]);
    assert_eq!(depot.available("COFFEE").await.0, "2");

    // What is not there waits, and is told to whom it concerns.
    let five = json!([{ "sku": "COFFEE", "quantity": "5" }]);
    let second = depot.order(five.clone()).await;
    depot.confirm(&second, json!({})).await;
    let third = depot.order(five).await;
    depot.confirm(&third, json!({ "priority": 1 })).await;
    assert_eq!(depot.available("COFFEE").await.0, "0");
    let waiting = vec![(second.clone(), "3".to_owned()), (third.clone(), "5".to_owned())];
    assert_eq!(depot.backorders("warehouse").await, waiting);
    assert_eq!(depot.backorders("grocer").await, waiting);
    assert_eq!(depot.backorders("hotel").await, []);
    let other = instance.get("hotel", &format!("/v1/backorders?company={}", shop.grocer)).await;
    assert_eq!(other.status, 404);
    let own = instance.get("grocer", "/v1/backorders").await.body;
    assert!(own["items"][0]["priority"].is_null(), "{own}");

    // Expected goods are told, and what can be promised.
    let expect = |quantity: &str, on: &str| json!({ "receipt": "PO/7", "warehouse": krk, "quantity": quantity, "on": on });
    depot.does(&coffee, "expect", expect("20", "2099-05-01")).await;
    depot.does(&coffee, "expect", expect("20", "2099-06-01")).await;
    assert_eq!(depot.available("COFFEE").await, (json!("0"), json!("2099-06-01")));
    let shown = instance.get("warehouse", &format!("/v1/stock/{coffee}")).await.body;
    let promises = json!([{ "available": "-8" }, { "from": "2099-06-01", "available": "12" }]);
    assert_eq!((&shown["waiting"], &shown["promises"]), (&json!("8"), &promises));

    // A receipt fills by priority.
    let arrived = json!({ "warehouse": krk, "quantity": "6", "receipt": "PO/7" });
    depot.does(&coffee, "receive", arrived).await;
    assert_eq!(depot.backorders("sales").await, [(second.clone(), "2".to_owned())]);
    assert_eq!(depot.levels(&coffee).await, ["10 10", "10 10"]);

    // No more leaves than is allocated.
    let part =
        |quantity: &str| json!({ "order": second, "items": [{ "line": 1, "quantity": quantity }] });
    let answer = instance.post("warehouse", "/v1/shipments", &part("4")).await;
    refused(&answer, 409, "stock.not_allocated");
    assert_eq!(answer.body["errors"][0]["pointer"], "/items/0/quantity");
    created(instance.post("warehouse", "/v1/shipments", &part("1")).await);
    // One warehouse after the other; what is not tracked leaves with the first.
    let from = |warehouse: &str| json!({ "order": first, "warehouse": warehouse });
    created(instance.post("warehouse", "/v1/shipments", &from(krk)).await);
    let shown = instance.get("grocer", &format!("/v1/orders/{first}")).await.body;
    assert_eq!(shown["shipped"], json!({ "1": "4", "2": "3" }));
    refused(
        &instance.post("warehouse", "/v1/shipments", &from(krk)).await,
        409,
        "stock.nothing_allocated",
    );
    created(instance.post("warehouse", "/v1/shipments", &from(waw)).await);
    let shown = instance.get("grocer", &format!("/v1/orders/{first}")).await.body;
    assert_eq!(shown["status"], "shipped");

    // Cancelling the rest releases it to those that wait.
    let cancel = format!("/v1/orders/{third}/cancel");
    done(instance.post("sales", &cancel, &json!({})).await);
    assert_eq!(depot.backorders("sales").await, []);
    let moved = instance.all("warehouse", &format!("/v1/stock/{coffee}/movements")).await;
    let kinds: Vec<_> = moved
        .iter()
        .map(|one| format!("{} {} {}", one["code"], one["kind"], one["quantity"]).replace('"', ""))
        .collect();
    let expected = [
        "WAW shipped -8",
        "KRK shipped -4",
        "WAW shipped -1",
        "KRK received 6",
        "KRK received 4",
        "WAW received 10",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(moved[0]["balance"], "1");
    instance.settled().await;
}

#[tokio::test]
async fn what_expires_first_leaves_first() {
    let depot = Depot::open().await;
    let Depot { shop, waw, krk } = &depot;
    let instance = &shop.instance;
    let rice = depot.product("RICE").await;
    depot.does(&rice, "settings", json!({ "lots_required": true })).await;
    let path = format!("/v1/stock/{rice}/receive");
    let without = json!({ "warehouse": waw, "quantity": "5" });
    let answer = instance.post("warehouse", &path, &without).await;
    refused(&answer, 422, "stock.lot_required");
    assert_eq!(answer.body["errors"][0]["pointer"], "/lot");
    let of = |code: &str, day: &str| json!({ "warehouse": waw, "quantity": "5", "lot": { "code": code, "best_before": day } });
    for lot in [("OLD", "2020-01-01"), ("LATE", "2099-06-01"), ("SOON", "2099-03-01")] {
        done(instance.post("warehouse", &path, &of(lot.0, lot.1)).await);
    }
    refused(
        &instance.post("warehouse", &path, &of("SOON", "2099-03-02")).await,
        409,
        "stock.lot_differs",
    );
    let order = depot.order(json!([{ "sku": "RICE", "quantity": "15" }])).await;
    depot.confirm(&order, json!({})).await;
    let ship =
        |quantity: &str| json!({ "order": order, "items": [{ "line": 1, "quantity": quantity }] });
    refused(&instance.post("warehouse", "/v1/shipments", &ship("11")).await, 409, "stock.expired");
    created(instance.post("warehouse", "/v1/shipments", &ship("7")).await);
    let lots = async || {
        let path = format!("/v1/stock/{rice}/warehouses");
        let level = instance.get("warehouse", &path).await.body["items"][0].clone();
        let lots = level["lots"].as_array().unwrap().clone();
        lots.iter().map(|lot| format!("{} {}", lot["code"], lot["on_hand"])).collect::<Vec<_>>()
    };
    assert_eq!(lots().await, [r#""OLD" "5""#, r#""LATE" "3""#]);
    // Goods past their day are written off; those who had them wait.
    let expired = json!({ "warehouse": waw, "change": "-5", "lot": { "code": "OLD" },
        "reason": "expiry", "note": "Po terminie" });
    depot.does(&rice, "adjust", expired).await;
    assert_eq!(depot.backorders("sales").await, [(order.clone(), "5".to_owned())]);
    let transfer = json!({ "from": waw, "to": krk, "quantity": "2" });
    depot.does(&rice, "transfer", transfer).await;
    assert_eq!(depot.levels(&rice).await, ["1 1", "2 2"]);
    refused(
        &instance
            .post(
                "warehouse",
                &format!("/v1/stock/{rice}/transfer"),
                &json!({ "from": waw, "to": krk, "quantity": "2" }),
            )
            .await,
        409,
        "stock.not_on_hand",
    );
}

#[tokio::test]
async fn a_bundle_reserves_its_parts() {
    let depot = Depot::open().await;
    let Depot { shop, waw, .. } = &depot;
    let instance = &shop.instance;
    let (coffee, rice) = (depot.product("COFFEE").await, depot.product("RICE").await);
    let basket = json!({ "sku": "BASKET", "name": "Kosz", "unit": "piece", "vat_rate": "23",
        "prices": [{ "currency": "PLN", "price": "50.00" }] });
    let basket = created(instance.post("admin", "/v1/products", &basket).await);
    let parts = json!({ "parts": [{ "product": coffee, "quantity": "2" },
        { "product": rice, "quantity": "1" }] });
    done(instance.post("admin", &format!("/v1/products/{basket}/parts"), &parts).await);
    done(instance.post("admin", &format!("/v1/products/{basket}/publish"), &json!({})).await);
    depot.does(&coffee, "receive", json!({ "warehouse": waw, "quantity": "7" })).await;

    let lines = json!([{ "sku": "BASKET", "quantity": "4" }, { "sku": "COFFEE", "quantity": "1" }]);
    let order = depot.order(lines).await;
    depot.confirm(&order, json!({})).await;
    assert_eq!(depot.levels(&coffee).await[0], "7 7");
    assert_eq!(
        depot.backorders("sales").await,
        [(order.clone(), "1".to_owned()), (order.clone(), "1".to_owned())]
    );
    // Three baskets can be made of what is allocated.
    created(instance.post("warehouse", "/v1/shipments", &json!({ "order": order })).await);
    let shown = instance.get("grocer", &format!("/v1/orders/{order}")).await.body;
    assert_eq!(shown["shipped"]["1"], "3");
    assert_eq!(depot.levels(&coffee).await[0], "1 1");
    // The bundle is made of something else now; the order keeps what it reserved.
    let parts = json!({ "parts": [{ "product": rice, "quantity": "1" }] });
    done(instance.post("admin", &format!("/v1/products/{basket}/parts"), &parts).await);
    done(instance.post("sales", &format!("/v1/orders/{order}/cancel"), &json!({})).await);
    assert_eq!(depot.levels(&coffee).await[0], "1 0");
    assert_eq!(depot.backorders("sales").await, []);
}

#[tokio::test]
async fn an_order_confirmed_before_its_product_was_tracked_takes_what_is_free() {
    let depot = Depot::open().await;
    let Depot { shop, waw, .. } = &depot;
    let instance = &shop.instance;
    let order = depot.order(json!([{ "sku": "COFFEE", "quantity": "5" }])).await;
    depot.confirm(&order, json!({})).await;
    let coffee = depot.product("COFFEE").await;
    let level = json!({ "levels": [{ "sku": "COFFEE", "available": "9" }] });
    done(instance.post("warehouse", "/v1/stock", &level).await);
    depot.does(&coffee, "count", json!({ "warehouse": waw, "counted": "3" })).await;
    refused(&instance.post("warehouse", "/v1/stock", &level).await, 409, "stock.tracked");
    assert_eq!(depot.available("COFFEE").await.0, "3");
    created(instance.post("warehouse", "/v1/shipments", &json!({ "order": order })).await);
    assert_eq!(depot.levels(&coffee).await[0], "0 0");
    assert_eq!(depot.backorders("sales").await, [(order, "2".to_owned())]);
    // What comes back, or is found, goes to the order that waits.
    let back = json!({ "warehouse": waw, "quantity": "1", "disposition": "second_choice" });
    depot.does(&coffee, "take-back", back).await;
    let found = json!({ "warehouse": waw, "change": "1", "reason": "found" });
    depot.does(&coffee, "adjust", found).await;
    let back = json!({ "warehouse": waw, "quantity": "1", "disposition": "restock" });
    depot.does(&coffee, "take-back", back).await;
    assert_eq!(depot.backorders("sales").await, []);
    assert_eq!(depot.levels(&coffee).await[0], "2 2");
    let level = instance.get("warehouse", &format!("/v1/stock/{coffee}/warehouses")).await.body;
    assert_eq!(level["items"][0]["second_choice"], "1");
}
