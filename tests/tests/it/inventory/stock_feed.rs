//! The feed of an external warehouse: every row is answered and recorded once, differences are shown.

use serde_json::{Value, json};

use crate::{
    inventory::stock::Depot,
    journeys::{done, refused},
};

fn row(reference: &str, kind: &str, sku: &str, quantity: &str) -> Value {
    json!({ "reference": reference, "kind": kind, "sku": sku, "warehouse": "WAW",
        "quantity": quantity })
}

#[tokio::test]
async fn every_row_is_answered_and_recorded_once() {
    let depot = Depot::open().await;
    let instance = &depot.shop.instance;
    let rows = json!({ "rows": [
        row("PZ/1", "receipt", "COFFEE", "10"),
        row("PZ/1", "receipt", "RICE", "20"),
        row("PZ/1", "receipt", "COFFEE", "10"),
        row("WZ/1", "shipped", "COFFEE", "3"),
        row("INW/1", "level", "COFFEE", "5"),
        row("INW/2", "level", "RICE", "20"),
        row("PZ/2", "receipt", "TEA", "1"),
        row("WZ/2", "shipped", "RICE", "21"),
        row("WZ/3", "shipped", "RICE", "0"),
        row("PZ/1", "receipt", "RICE", "21"),
    ] });
    let feed = async |key: &str| {
        let answer = instance.post_with_key("warehouse", "/v1/stock/feed", key, &rows).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    };
    let first = feed("feed-1").await;
    let of = |report: &Value, what: &str| -> Vec<Value> {
        report["rows"].as_array().unwrap().iter().map(|row| row[what].clone()).collect()
    };
    let results = [
        "recorded", "recorded", "repeated", "recorded", "recorded", "recorded", "refused",
        "refused", "refused", "refused",
    ];
    assert_eq!(of(&first, "result"), results);
    assert_eq!(of(&first, "difference")[4..6], [json!("-2"), json!("0")]);
    assert_eq!(of(&first, "before")[3..5], [json!("10"), json!("7")]);
    assert_eq!(of(&first, "after")[3..5], [json!("7"), json!("5")]);
    let codes = ["stock.product_missing", "stock.not_on_hand", "stock.no_change", "claim.held"];
    assert_eq!(of(&first, "code")[6..], codes);
    assert_eq!(
        (&first["recorded"], &first["repeated"], &first["refused"]),
        (&json!(5), &json!(1), &json!(4))
    );
    // The same request, and the same rows in another one.
    for key in ["feed-1", "feed-2"] {
        let again = feed(key).await;
        assert_eq!((&again["recorded"], &again["repeated"]), (&json!(0), &json!(6)), "{again}");
    }
    let coffee = depot.product("COFFEE").await;
    assert_eq!(depot.levels(&coffee).await[0], "5 0");
    assert_eq!(depot.available("COFFEE").await.0, "5");
    let movements = instance.all("auditor", &format!("/v1/stock/{coffee}/movements")).await;
    let counted = &movements[0];
    assert_eq!(
        (&counted["kind"], &counted["expected"], &counted["counted"], &counted["reference"]),
        (&json!("counted"), &json!("7"), &json!("5"), &json!("INW/1"))
    );

    let many: Vec<Value> = (0..=1_000).map(|_| row("X", "level", "RICE", "1")).collect();
    for rows in [vec![], many] {
        let answer = instance.post("warehouse", "/v1/stock/feed", &json!({ "rows": rows })).await;
        refused(&answer, 422, "stock.count_invalid");
    }
}

#[tokio::test]
async fn a_sheet_says_the_same() {
    let depot = Depot::open().await;
    let instance = &depot.shop.instance;
    let sheet = "reference;kind;sku;warehouse;quantity;lot;best_before\n\
        PZ/1;receipt;COFFEE;WAW;10;L1;2099-12-31\n\
        PZ/2;receipt;COFFEE;KRK;2,5;;\n\
        INW/1;level;RICE;KRK;7;;\n\
        WZ/1;sold;RICE;KRK;7;;\n";
    let path = "/v1/imports/stock-feed?mode=skip_bad";
    let send = async || instance.send("warehouse", path, "text/csv", sheet).await;
    let report = send().await.body;
    assert_eq!(
        (&report["changed"], &report["refused"]),
        (&json!(2), &json!(2)),
        "half a piece, and a kind that is none: {report}"
    );
    let report = send().await.body;
    assert_eq!((&report["changed"], &report["unchanged"]), (&json!(0), &json!(2)), "{report}");
    let (coffee, rice) = (depot.product("COFFEE").await, depot.product("RICE").await);
    assert_eq!(depot.levels(&coffee).await, ["10 0", ""]);
    assert_eq!(depot.levels(&rice).await, ["", "7 0"]);
    let order = depot.order(json!([{ "sku": "RICE", "quantity": "7" }])).await;
    depot.confirm(&order, json!({})).await;
    assert_eq!(depot.available("RICE").await.0, "0");
    let in_stock = instance.get("grocer", "/v1/catalogue?in_stock=true").await.body;
    let skus: Vec<_> =
        in_stock["items"].as_array().unwrap().iter().map(|one| &one["sku"]).collect();
    assert_eq!(skus, [&json!("COFFEE")]);
    done(instance.post("sales", &format!("/v1/orders/{order}/cancel"), &json!({})).await);
    assert_eq!(depot.available("RICE").await.0, "7");
}
