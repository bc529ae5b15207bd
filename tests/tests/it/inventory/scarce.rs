//! Many clients confirm orders for the same scarce products at once: nothing is promised twice.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    faults::site::Site,
    instance::{Answer, Instance},
    inventory::stock::Depot,
    journeys::{created, done, register},
};

/// How many clients there are, and how many orders each confirms.
const CLIENTS: usize = 16;
const ORDERS: usize = 4;
/// Of each of so many products there are so many pieces.
const PRODUCTS: usize = 3;
const PIECES: usize = 40;

/// Repeats a command that lost too many conflicts with another process, as its answer says.
async fn post(instance: &Instance, path: &str, body: &Value) -> Answer {
    loop {
        let answer = instance.post("admin", path, body).await;
        if answer.body["code"] != "conflict" {
            return answer;
        }
    }
}

/// Whatever was reserved is on hand once, and the rest waits.
async fn no_oversell(instances: &[&Instance], company: &str) {
    let first = instances[0];
    let warehouse = async |code: &str| {
        let body = json!({ "code": code, "name": code });
        created(first.post("admin", "/v1/warehouses", &body).await)
    };
    let warehouses = [warehouse("S-1").await, warehouse("S-2").await];
    let mut products = Vec::new();
    for number in 0..PRODUCTS {
        let body = json!({ "sku": format!("SCARCE-{number}"), "name": "Rzadkie", "unit": "piece",
            "vat_rate": "23", "prices": [{ "currency": "PLN", "price": "1.00" }] });
        let product = created(first.post("admin", "/v1/products", &body).await);
        done(first.post("admin", &format!("/v1/products/{product}/publish"), &json!({})).await);
        for warehouse in &warehouses {
            let goods = json!({ "warehouse": warehouse, "quantity": (PIECES / 2).to_string() });
            let path = format!("/v1/stock/{product}/receive");
            done(first.post("admin", &path, &goods).await);
        }
        products.push(product);
    }
    let lines: Vec<Value> = (0..PRODUCTS)
        .map(|number| json!({ "sku": format!("SCARCE-{number}"), "quantity": "3" }))
        .collect();
    let order = json!({ "company": company, "currency": "PLN", "lines": lines });
    let clients = (0..CLIENTS).map(|client| {
        let (instance, order) = (instances[client % instances.len()], &order);
        async move {
            let mut confirmed = Vec::new();
            for _ in 0..ORDERS {
                let id = created(post(instance, "/v1/orders", order).await);
                let path = format!("/v1/orders/{id}/confirm");
                let answer = post(instance, &path, &json!({})).await;
                assert_eq!(answer.status, 200, "{answer:?}");
                confirmed.push(id);
            }
            // What is allocated leaves; what is not does not.
            let shipment = json!({ "order": confirmed[0] });
            let shipped = post(instance, "/v1/shipments", &shipment).await;
            assert!([201, 409].contains(&shipped.status), "{shipped:?}");
            let path = format!("/v1/orders/{}/cancel", confirmed[1]);
            done(post(instance, &path, &json!({})).await);
        }
    });
    join_all(clients).await;
    let last = instances[instances.len() - 1];
    last.settled().await;
    let backorders = last.all("admin", "/v1/backorders").await;
    let sum = |items: &[Value], what: &str| -> i64 {
        items.iter().map(|item| item[what].as_str().unwrap().parse::<i64>().unwrap()).sum()
    };
    for product in &products {
        let path = format!("/v1/stock/{product}");
        let levels = last.all("admin", &format!("{path}/warehouses")).await;
        let movements = last.all("admin", &format!("{path}/movements")).await;
        let (on_hand, reserved) = (sum(&levels, "on_hand"), sum(&levels, "reserved"));
        let shipped: Vec<Value> =
            movements.into_iter().filter(|movement| movement["kind"] == "shipped").collect();
        let shipped = -sum(&shipped, "quantity");
        let waiting: Vec<Value> =
            backorders.iter().filter(|one| one["product"] == json!(product)).cloned().collect();
        let waiting = sum(&waiting, "waiting");
        let pieces = i64::try_from(PIECES).unwrap();
        assert_eq!(on_hand, pieces - shipped, "what is there");
        for level in &levels {
            let one = std::slice::from_ref(level);
            assert!(sum(one, "reserved") <= sum(one, "on_hand"), "{level}");
        }
        // More is wanted than there is, so all of it is reserved.
        assert_eq!(reserved, on_hand, "nothing waits while something is free");
        let released = i64::try_from(CLIENTS * 3).unwrap();
        let ordered = i64::try_from(CLIENTS * ORDERS * 3).unwrap();
        assert_eq!(ordered, reserved + waiting + shipped + released);
    }
}

#[tokio::test]
async fn many_clients_never_oversell() {
    let depot = Depot::open().await;
    no_oversell(&[&depot.shop.instance], &depot.shop.grocer).await;
}

#[tokio::test]
async fn two_processes_never_oversell() {
    let site = Site::with_instances(2).await;
    let instances: Vec<&Instance> = site.instances.iter().collect();
    let company = register(instances[0], "Delikatesy", "5260250274", 14).await;
    no_oversell(&instances, &company).await;
}
