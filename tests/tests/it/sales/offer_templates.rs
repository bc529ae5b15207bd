//! Offer templates: create, replace and drop.

use serde_json::{Value, json};

use crate::{
    journeys::{Shop, created, done, refused},
    sales::quotation_requests::NOWHERE,
};

#[tokio::test]
async fn what_is_offered_again_and_again_is_kept() {
    let shop = Shop::open().await;
    let template = json!({
        "name": "Pakiet startowy", "currency": "PLN", "valid_days": 14,
        "lines": [
            { "sku": "COFFEE", "quantity": "10", "unit_price": "9.00" },
            { "sku": "RICE", "quantity": "5", "optional": true },
        ],
        "message": "Dzień dobry,\nproponujemy:",
        "payment_term": { "kind": "net", "days": 30 },
    });
    let path = "/v1/offer-templates";
    let post = || shop.instance.post_with_key("sales", path, "template-1", &template);
    let (first, again) = (post().await, post().await);
    assert_eq!(first.body, again.body);
    let id = created(first);
    let one = format!("{path}/{id}");
    let head = shop.instance.settled().await;
    let shown = shop.instance.get("sales", &format!("{one}?wait_for={head}")).await.body;
    for field in ["name", "currency", "message", "payment_term", "valid_days"] {
        assert_eq!(shown[field], template[field], "{shown}");
    }
    let lines = &shown["lines"];
    assert_eq!((&lines[0]["unit_price"], &lines[0]["optional"]), (&json!("9.00"), &Value::Null));
    assert_eq!((&lines[1]["unit_price"], &lines[1]["optional"]), (&Value::Null, &json!(true)));
    assert_eq!(lines[1]["sku"], "RICE");

    let mut longer = template.clone();
    longer["valid_days"] = json!(30);
    for _ in 0..2 {
        done(shop.instance.post("sales", &format!("{one}/keep"), &longer).await);
    }
    let second = created(shop.instance.post("sales", path, &template).await);
    let head = shop.instance.settled().await;
    let kept = shop.instance.all("sales", &format!("{path}?wait_for={head}")).await;
    let kept: Vec<(&Value, &Value)> =
        kept.iter().map(|item| (&item["id"], &item["valid_days"])).collect();
    assert_eq!(kept, [(&json!(second), &json!(14)), (&json!(id), &json!(30))]);

    let with = |field: &str, value: Value| {
        let mut body = template.clone();
        body[field] = value;
        body
    };
    for (body, code, pointer) in [
        (with("lines", json!([])), "offer_template.line_count", "/lines"),
        (with("valid_days", json!(0)), "offer_template.valid_days", "/valid_days"),
        (with("valid_days", json!(400)), "offer_template.valid_days", "/valid_days"),
        (
            with("lines", json!([{ "sku": "NONE", "quantity": "1" }])),
            "lines.invalid",
            "/lines/0/sku",
        ),
        (
            with("lines", json!([{ "sku": "RICE", "quantity": "1.5" }])),
            "product.indivisible",
            "/lines/0/quantity",
        ),
    ] {
        let answer = shop.instance.post("sales", path, &body).await;
        refused(&answer, 422, code);
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{answer:?}");
    }
    for _ in 0..2 {
        done(shop.instance.post("sales", &format!("{one}/drop"), &json!({})).await);
    }
    let anew = shop.instance.post("sales", &format!("{one}/keep"), &longer).await;
    refused(&anew, 409, "offer_template.dropped");
    let head = shop.instance.settled().await;
    assert_eq!(shop.instance.get("sales", &format!("{one}?wait_for={head}")).await.status, 404);
    for what in ["keep", "drop"] {
        let body = if what == "keep" { longer.clone() } else { json!({}) };
        let missing = shop.instance.post("sales", &format!("{path}/{NOWHERE}/{what}"), &body).await;
        refused(&missing, 404, "offer_template.unkept");
    }
}
