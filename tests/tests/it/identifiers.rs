//! Codes and numbers that differ only in Unicode form are treated as equal.

use domain::{characters::stored, claim};
use serde_json::json;

use crate::{
    forgery::forge,
    journeys::{Shop, created, done, refused},
};

#[tokio::test]
async fn codes_that_look_alike_are_one() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let product =
        |sku: &str| json!({ "sku": sku, "name": "Blok", "unit": "piece", "vat_rate": "23" });
    created(instance.post("admin", "/v1/products", &product("BL-22")).await);
    for unseen in ["BL-22\u{200b}", "BL\u{2060}-22", "\u{202e}BL-22", "BL-22\u{e000}"] {
        let answer = instance.post("admin", "/v1/products", &product(unseen)).await;
        assert_eq!(answer.status, 422, "{unseen:?}: {answer:?}");
        assert_eq!(answer.body["errors"][0]["pointer"], "/sku", "{answer:?}");
    }
    for alike in ["ＢＬ－２２", " BL-22 ", "ＢＬ-22"] {
        refused(&instance.post("admin", "/v1/products", &product(alike)).await, 409, "claim.held");
    }
    created(instance.post("admin", "/v1/products", &product("bl-22")).await);

    let company = |number: &str| {
        json!({
            "name": "Strandhaus", "reference": format!("E-{number}"),
            "tax_id": { "kind": "foreign", "country": "DE", "number": number },
            "payment_term": { "kind": "immediate" },
        })
    };
    created(instance.post("sales", "/v1/companies", &company("123")).await);
    refused(&instance.post("sales", "/v1/companies", &company("１２３")).await, 409, "claim.held");
}

/// A filter reads a code as commands do.
#[tokio::test]
async fn codes_that_look_alike_find_the_same() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let company = json!({
        "name": "Strandhaus", "reference": "E-1",
        "tax_id": { "kind": "foreign", "country": "DE", "number": "123" },
        "payment_term": { "kind": "immediate" },
    });
    let company = created(instance.post("sales", "/v1/companies", &company).await);
    let levels = json!({ "levels": [{ "sku": "RICE", "available": "7" }] });
    done(instance.post("warehouse", "/v1/stock", &levels).await);
    let head = instance.settled().await;
    for (path, found) in [
        ("products?sku=RICE", 1),
        ("products?sku=%20RICE%20", 1),
        ("products?sku=%EF%BC%B2%EF%BC%A9%EF%BC%A3%EF%BC%A5", 1),
        ("products?sku=rice", 0),
        ("products?sku=%20", 0),
        ("stock?sku=%EF%BC%B2ICE%20", 1),
        ("companies?reference=%20E-1", 1),
        ("companies?reference=E%EF%BC%8D%EF%BC%91", 1),
        ("companies?reference=e-1", 0),
    ] {
        let answer = instance.get("admin", &format!("/v1/{path}&wait_for={head}")).await;
        let items = answer.body["items"].as_array().unwrap();
        assert_eq!(items.len(), found, "{path}: {answer:?}");
        if path.starts_with("companies") && found == 1 {
            assert_eq!(items[0]["id"], json!(company));
        }
    }
}

/// What an older build stored is found by what is typed today.
#[tokio::test]
async fn codes_of_older_builds_stay_within_reach() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let head = instance.settled().await;
    let path = format!("/v1/products?sku=RICE&wait_for={head}");
    let rice = instance.get("admin", &path).await.body["items"][0]["id"].clone();
    let value = json!({ "kind": "sku", "value": "ＯＬＤ\u{200b}-1" });
    let old: claim::Value = stored(|| serde_json::from_value(value.clone()).unwrap());
    let taken = json!({ "type": "taken", "value": value, "by": rice });
    forge(&instance.database().await, old.id().0, "claim.taken", 1, &taken).await;
    instance.settled().await;

    let product = json!({ "sku": "OLD-1", "name": "Ryż", "unit": "piece", "vat_rate": "5" });
    refused(&instance.post("admin", "/v1/products", &product).await, 409, "claim.held");
    let order = json!({ "currency": "PLN", "lines": [{ "sku": "OLD-1", "quantity": "1" }] });
    let order = created(instance.post("grocer", "/v1/orders", &order).await);
    let head = instance.settled().await;
    let shown = instance.get("grocer", &format!("/v1/orders/{order}?wait_for={head}")).await.body;
    assert_eq!(shown["lines"][0]["sku"], "RICE");
}
