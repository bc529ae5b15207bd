//! Assortments restrict all queries and commands of a company.

use serde_json::{Value, json};

use crate::journeys::{Shop, created, done, refused, register};

impl Shop {
    async fn rule(&self, what: &str, audience: Value, selection: Value) {
        let rule = json!({ "audience": audience, "selection": selection });
        done(self.instance.post("manager", &format!("/v1/assortments/{what}"), &rule).await);
    }

    /// The codes of what a role sees in the list.
    async fn seen(&self, role: &str) -> Vec<String> {
        let head = self.instance.settled().await;
        let products = self.instance.all(role, &format!("/v1/products?wait_for={head}")).await;
        products.iter().map(|product| product["sku"].as_str().unwrap().to_owned()).collect()
    }
}

fn order(sku: &str) -> Value {
    json!({ "currency": "PLN", "lines": [{ "sku": sku, "quantity": "1" }] })
}

#[tokio::test]
async fn a_product_outside_the_assortment_does_not_exist() {
    let mut shop = Shop::open().await;
    shop.instance.make_key("manager", "sales_manager", None).await;
    let branch = register(&shop.instance, "Hotel Gdynia", "9999999999", 7).await;
    shop.instance.make_key("branch", "purchaser", Some(&branch)).await;
    let hotel = shop.hotel.clone();
    for (path, body) in [
        (format!("/v1/companies/{branch}/parent"), json!({ "parent": hotel })),
        (format!("/v1/companies/{}/group", shop.grocer), json!({ "group": "shops" })),
    ] {
        done(shop.instance.post("sales", &path, &body).await);
    }
    let all = shop.seen("admin").await;
    assert!(all.contains(&"RICE".to_owned()));
    let rice = shop.instance.get("admin", "/v1/products?sku=RICE").await.body["items"][0].clone();
    let rice_id = rice["id"].as_str().unwrap().to_owned();
    let grain = created(
        shop.instance
            .post("manager", "/v1/categories", &json!({ "title": { "name": "Zboża" } }))
            .await,
    );
    let path = format!("/v1/products/{rice_id}/categories");
    done(shop.instance.post("manager", &path, &json!({ "categories": [grain] })).await);
    let everyone = || json!({ "kind": "everyone" });
    let category = || json!({ "kind": "category", "category": grain });

    // Nobody sees grain but the hotel, and so its branch, and the group of shops.
    shop.rule("deny", everyone(), category()).await;
    shop.rule("allow", json!({ "kind": "company", "company": hotel }), category()).await;
    assert!(!shop.seen("grocer").await.contains(&"RICE".to_owned()));
    for role in ["hotel", "branch", "admin", "sales"] {
        assert!(shop.seen(role).await.contains(&"RICE".to_owned()), "{role}");
    }
    let show = format!("/v1/products/{rice_id}");
    refused(&shop.instance.get("grocer", &show).await, 404, "not_found");
    assert_eq!(shop.instance.get("branch", &show).await.status, 200);

    // It is answered exactly like a code that nobody has ever used.
    let (hidden, unknown) = (
        shop.instance.post("grocer", "/v1/orders", &order("RICE")).await,
        shop.instance.post("grocer", "/v1/orders", &order("NONE")).await,
    );
    refused(&hidden, 422, "lines.invalid");
    assert_eq!(hidden.body, unknown.body);
    created(shop.instance.post("branch", "/v1/orders", &order("RICE")).await);
    let offer = json!({
        "company": shop.grocer, "currency": "PLN", "valid_until": "2099-12-31",
        "lines": [{ "sku": "RICE", "quantity": "1" }],
    });
    let refusal = shop.instance.post("sales", "/v1/offers", &offer).await;
    refused(&refusal, 409, "assortment.outside");
    assert_eq!(refusal.body["errors"][0]["pointer"], "/lines/0/sku");

    let shops = || json!({ "kind": "group", "group": "shops" });
    shop.rule("allow", shops(), json!({ "kind": "product", "product": rice_id })).await;
    assert!(shop.seen("grocer").await.contains(&"RICE".to_owned()));
    created(shop.instance.post("grocer", "/v1/orders", &order("RICE")).await);
    shop.rule("lift", shops(), json!({ "kind": "product", "product": rice_id })).await;
    assert!(!shop.seen("grocer").await.contains(&"RICE".to_owned()));
    let rules = shop.instance.all("sales", "/v1/assortments").await;
    assert_eq!(rules.len(), 2);
    let own = format!("/v1/assortments?company={hotel}");
    assert_eq!(shop.instance.all("sales", &own).await[0]["verdict"], "allowed");

    // A rule names what there is.
    let nowhere = "00000000-0000-7000-8000-000000000bad";
    for (audience, selection, pointer) in [
        (json!({ "kind": "company", "company": nowhere }), category(), "/audience/company"),
        (everyone(), json!({ "kind": "product", "product": nowhere }), "/selection/product"),
        (everyone(), json!({ "kind": "category", "category": nowhere }), "/selection/category"),
    ] {
        let rule = json!({ "audience": audience, "selection": selection });
        let answer = shop.instance.post("manager", "/v1/assortments/deny", &rule).await;
        refused(&answer, 422, "body.names_nothing");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer);
    }
}
