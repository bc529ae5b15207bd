//! Warehouses: opened once per code, renamed, closed and opened again.

use serde_json::{Value, json};

use crate::journeys::{Shop, created, done, refused};

#[tokio::test]
async fn a_warehouse_is_opened_renamed_closed_and_reopened() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let address = json!({ "street": "Prosta 1", "postal_code": "00-950", "city": "Warszawa",
        "country": "PL" });
    let body = json!({ "code": "WAW", "name": "Centralny", "address": address });
    let opened = instance.post_with_key("admin", "/v1/warehouses", "w1", &body).await;
    let again = instance.post_with_key("admin", "/v1/warehouses", "w1", &body).await;
    assert_eq!(opened.body["id"], again.body["id"]);
    let id = created(opened);
    refused(&instance.post("admin", "/v1/warehouses", &body).await, 409, "claim.held");
    // The same name twice is no matter; the same code is.
    let other = json!({ "code": "KRK", "name": "Centralny" });
    created(instance.post("admin", "/v1/warehouses", &other).await);

    let path = |what: &str| format!("/v1/warehouses/{id}/{what}");
    done(instance.post("admin", &path("rename"), &json!({ "name": "Wola" })).await);
    done(instance.post("admin", &path("close"), &json!({})).await);
    done(instance.post("admin", &path("close"), &json!({})).await);
    let shown = instance.get("warehouse", &format!("/v1/warehouses/{id}")).await.body;
    assert_eq!(
        (&shown["name"], &shown["closed"], &shown["address"]["city"]),
        (&json!("Wola"), &json!(true), &json!("Warszawa"))
    );
    let by_code = instance.all("warehouse", "/v1/warehouses?code=WAW").await;
    assert_eq!((by_code.len(), &by_code[0]["id"]), (1, &Value::from(id.as_str())));
    let names: Vec<Value> = instance
        .all("warehouse", "/v1/warehouses")
        .await
        .into_iter()
        .map(|warehouse| warehouse["code"].clone())
        .collect();
    assert_eq!(names, ["WAW", "KRK"]);

    // A closed one receives nothing.
    let product = instance.get("admin", "/v1/products?sku=COFFEE").await.body;
    let product = product["items"][0]["id"].as_str().unwrap().to_owned();
    let receive = format!("/v1/stock/{product}/receive");
    let goods = json!({ "warehouse": id, "quantity": "1" });
    let answer = instance.post("warehouse", &receive, &goods).await;
    refused(&answer, 409, "warehouse.closed");
    assert_eq!(answer.body["errors"][0]["pointer"], "/warehouse");
    done(instance.post("admin", &path("reopen"), &json!({})).await);
    done(instance.post("warehouse", &receive, &goods).await);
    let nowhere = json!({ "warehouse": "00000000-0000-7000-8000-000000000000", "quantity": "1" });
    refused(&instance.post("warehouse", &receive, &nowhere).await, 422, "body.names_nothing");
    let nothing = "/v1/stock/00000000-0000-7000-8000-000000000000/receive";
    refused(&instance.post("warehouse", nothing, &goods).await, 404, "product.undrafted");
}
