//! Depth limits of the company tree and of the category tree, also with concurrent moves.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    forgery::forge,
    instance::{Instance, eventually},
    journeys::{Shop, created, done, refused},
};

/// How many may be above one another.
const MOST_COMPANIES: usize = 8;
const MOST_CATEGORIES: usize = 11;

async fn company(instance: &Instance, number: usize) -> String {
    let company = json!({
        "name": format!("Firma {number}"),
        "tax_id": { "kind": "foreign", "country": "DE", "number": format!("7{number}") },
        "payment_term": { "kind": "net", "days": 7 },
    });
    created(instance.post("sales", "/v1/companies", &company).await)
}

async fn category(instance: &Instance, number: usize) -> String {
    let category = json!({ "title": { "name": format!("Gałąź {number}") } });
    created(instance.post("manager", "/v1/categories", &category).await)
}

/// Puts something below another; whether it was taken, and which rule refused it.
async fn put(instance: &Instance, what: &str, node: &str, parent: &str) -> Result<(), String> {
    let way = if what == "companies" { "parent" } else { "move" };
    let path = format!("/v1/{what}/{node}/{way}");
    eventually("the read models answer", async || {
        let answer = instance.post("manager", &path, &json!({ "parent": parent })).await;
        match answer.status {
            200 => Some(Ok(())),
            409 => Some(Err(answer.body["code"].as_str().unwrap().to_owned())),
            503 => None,
            _ => panic!("{answer:?}"),
        }
    })
    .await
}

/// How many are above each; nothing is above itself.
async fn heights(instance: &Instance, what: &str) -> Vec<usize> {
    let head = instance.settled().await;
    let items = instance.all("manager", &format!("/v1/{what}?wait_for={head}")).await;
    let parent = |id: &Value| {
        let item = items.iter().find(|item| item["id"] == *id).unwrap();
        Some(item["parent"].clone()).filter(|parent| !parent.is_null())
    };
    let above = |item: &Value| {
        let line = std::iter::successors(parent(&item["id"]), |id| parent(id));
        line.take(items.len() + 1).count()
    };
    items.iter().map(above).collect()
}

#[tokio::test]
async fn no_tree_grows_too_high_whoever_moves_what_at_once() {
    let mut instance = Instance::start().await;
    instance.make_key("manager", "sales_manager", None).await;
    let mut random = StdRng::seed_from_u64(16);
    for (what, most) in [("companies", MOST_COMPANIES), ("categories", MOST_CATEGORIES)] {
        let (mut nodes, number) = (Vec::new(), 2 * most);
        for index in 0..=number {
            nodes.push(match what {
                "companies" => company(&instance, index).await,
                _ => category(&instance, index).await,
            });
        }
        // Two lines, each as high as a tree may be but for two.
        let (one, other) = nodes[..number].split_at(most);
        for line in [one, &other[2..]] {
            for two in line.windows(2) {
                put(&instance, what, &two[1], &two[0]).await.unwrap();
            }
        }
        let code = if what == "companies" { "company.too_deep" } else { "category.too_deep" };
        let (root, lowest, more) = (&other[2], &nodes[number - 1], &nodes[number]);
        assert_eq!(put(&instance, what, root, &one[3]).await, Err(code.to_owned()));
        // Each of the two would fit; both do not.
        let (moved, grown) =
            tokio::join!(put(&instance, what, root, &one[2]), put(&instance, what, more, lowest));
        let (moved_again, grown_again) =
            (put(&instance, what, root, &one[2]).await, put(&instance, what, more, lowest).await);
        assert!(moved.is_err() || grown.is_err(), "{what}: both");
        assert!(moved_again.is_ok() != grown_again.is_ok(), "{what}");

        for _ in 0..25 {
            let [a, b, c, d] = [(); 4].map(|()| &nodes[random.random_range(0..nodes.len())]);
            let _ = tokio::join!(put(&instance, what, a, b), put(&instance, what, c, d));
        }
        let highest = heights(&instance, what).await.into_iter().max().unwrap();
        assert!(highest <= most, "{what}: {highest} above one another");
    }
}

/// Older builds looked at what was moved alone, so their logs hold higher trees, and what they did
/// not see of a line may have closed it to a circle.
#[tokio::test]
async fn what_holds_above_holds_below_at_any_depth() {
    let mut shop = Shop::open().await;
    shop.instance.make_key("manager", "sales_manager", None).await;
    let mut line = Vec::new();
    for number in 0..12 {
        line.push(company(&shop.instance, number).await);
    }
    let mut branches = Vec::new();
    for number in 0..15 {
        branches.push(category(&shop.instance, number).await);
    }
    let instance = &shop.instance;
    let database = instance.database().await;
    let id = |id: &String| id.parse::<Uuid>().unwrap();
    for two in line.windows(2) {
        let joined = json!({ "type": "parent_joined", "parent": two[0] });
        forge(&database, id(&two[1]), "company.parent_joined", 1, &joined).await;
    }
    for two in branches[..14].windows(2) {
        let moved = json!({ "type": "moved", "parent": two[0] });
        forge(&database, id(&two[1]), "category.moved", 1, &moved).await;
    }
    // A branch above itself.
    let moved = json!({ "type": "moved", "parent": branches[14] });
    forge(&database, id(&branches[14]), "category.moved", 1, &moved).await;
    // What the process remembers it has decided itself.
    shop.instance.kill_and_restart().await;
    shop.instance.make_key("manager", "sales_manager", None).await;
    for (number, company) in line.iter().enumerate() {
        shop.instance.make_key(&format!("company {number}"), "purchaser", Some(company)).await;
    }
    let instance = &shop.instance;

    let head = instance.settled().await;
    for (sku, branch) in [("COFFEE", 13), ("RICE", 3), ("COURSE", 14)] {
        let path = format!("/v1/products?sku={sku}&wait_for={head}");
        let product = instance.get("manager", &path).await.body["items"][0]["id"].clone();
        let path = format!("/v1/products/{}/categories", product.as_str().unwrap());
        done(instance.post("manager", &path, &json!({ "categories": [branches[branch]] })).await);
    }
    for (audience, branch) in [
        (json!({ "kind": "company", "company": line[0] }), 0),
        (json!({ "kind": "company", "company": line[10] }), 13),
    ] {
        let selection = json!({ "kind": "category", "category": branches[branch] });
        let rule = json!({ "audience": audience, "selection": selection });
        let what = if branch == 0 { "deny" } else { "allow" };
        done(instance.post("manager", &format!("/v1/assortments/{what}"), &rule).await);
    }
    for company in [0, 1, 7, 9, 10, 11] {
        let role = format!("company {company}");
        let head = instance.settled().await;
        let listed = instance.all(&role, &format!("/v1/catalogue?wait_for={head}")).await;
        let shown = instance.all(&role, "/v1/products").await;
        let has = |items: &[Value], sku: &str| items.iter().any(|item| item["sku"] == sku);
        for (sku, is_seen) in [("COFFEE", company >= 10), ("RICE", false), ("COURSE", true)] {
            assert_eq!(has(&listed, sku), is_seen, "{role}: {sku} in the catalogue");
            assert_eq!(has(&shown, sku), is_seen, "{role}: {sku} among products");
            let lines = json!([{ "sku": sku, "quantity": "1" }]);
            let order = json!({ "currency": "PLN", "lines": lines });
            let answer = instance.post(&role, "/v1/orders", &order).await;
            let status = if is_seen { 201 } else { 422 };
            assert_eq!(answer.status, status, "{role}: {sku} ordered: {answer:?}");
        }
    }

    let path = format!("/v1/companies/{}/suspend", line[0]);
    done(instance.post("accounting", &path, &json!({ "reason": "overdue" })).await);
    let order = json!({ "currency": "PLN", "lines": [{ "sku": "COURSE", "quantity": "1" }] });
    for company in [0, 8, 11] {
        let answer = instance.post(&format!("company {company}"), "/v1/orders", &order).await;
        refused(&answer, 409, "company.suspended");
    }
    // What is too high can still be taken apart.
    assert_eq!(put(instance, "companies", &line[9], &line[3]).await, Ok(()));
    let path = format!("/v1/companies/{}/parent", line[2]);
    done(instance.post("manager", &path, &json!({ "parent": null })).await);
}
