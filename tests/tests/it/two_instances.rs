//! Two processes on one log: decisions never use outdated state.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    faults::site::Site,
    instance::Instance,
    journeys::{created, done, register},
};

/// Both know the order from when nothing of it had left. Together they ship no more than was
/// ordered, whoever is asked, and number the invoices without a gap.
#[tokio::test]
async fn two_instances_ship_no_more_than_was_ordered() {
    let site = Site::with_instances(2).await;
    let instances: Vec<&Instance> = site.instances.iter().collect();
    let product = json!({
        "sku": "HOUR", "name": "Hour", "unit": "piece", "vat_rate": "zw",
        "prices": [{ "currency": "PLN", "price": "10.00" }],
    });
    let product = created(instances[0].post("admin", "/v1/products", &product).await);
    let publish = format!("/v1/products/{product}/publish");
    done(instances[0].post("admin", &publish, &json!({})).await);
    let company = register(instances[0], "Delikatesy", "5260250274", 14).await;
    // Each explains what the other has changed.
    for (instance, price) in [(0, "10.00"), (1, "11.00"), (0, "12.00"), (1, "10.00")] {
        let price = json!({ "currency": "PLN", "price": price });
        let path = format!("/v1/products/{product}/price");
        done(instances[instance].post("admin", &path, &price).await);
        for instance in &instances {
            let path = format!("/v1/prices/explain?company={company}&sku=HOUR");
            assert_eq!(instance.get("admin", &path).await.body["price"], price["price"]);
        }
    }
    let order = json!({
        "company": company, "currency": "PLN", "lines": [{ "sku": "HOUR", "quantity": "10" }],
        "placed_on": "2026-03-01",
    });
    let order = created(instances[0].post("admin", "/v1/orders", &order).await);
    done(instances[1].post("admin", &format!("/v1/orders/{order}/confirm"), &json!({})).await);

    let part = json!({
        "order": order, "items": [{ "line": 1, "quantity": "1" }], "dispatched_on": "2026-03-20",
    });
    let everywhere = instances.iter().cycle().take(24);
    let answers =
        join_all(everywhere.map(|instance| instance.post("admin", "/v1/shipments", &part))).await;
    let (shipped, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 201);
    assert_eq!((shipped.len(), refused.len()), (10, 14), "{answers:?}");
    for answer in refused {
        assert!([409, 422].contains(&answer.status), "{answer:?}");
    }
    instances[1].settled().await;
    let mut numbers: Vec<String> = instances[1]
        .all("admin", "/v1/invoices")
        .await
        .iter()
        .map(|invoice: &Value| invoice["number"].as_str().unwrap().to_owned())
        .collect();
    numbers.sort();
    let expected: Vec<String> = (1..=10).map(|n| format!("FV/2026/03/{n:04}")).collect();
    assert_eq!(numbers, expected);
}

/// An import that is sent to both at once is recorded once, and each says of every row what became
/// of it.
#[tokio::test]
async fn an_import_sent_to_two_instances_counts_every_row() {
    const ROWS: u64 = 2_000;
    let site = Site::with_instances(2).await;
    let row = |number| format!("S-{number};Screw {number};piece;23\n");
    let sheet = format!("sku;name;unit;vat_rate\n{}", (0..ROWS).map(row).collect::<String>());
    let path = "/v1/imports/products?mode=skip_bad";
    let sent = site
        .instances
        .iter()
        .map(|instance| instance.send_with_key("admin", path, "both", "text/csv", sheet.clone()));
    for answer in join_all(sent).await {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.body["position"].is_u64(), "{answer:?}");
        let count = |name: &str| answer.body[name].as_u64().unwrap_or(0);
        let counted = count("changed") + count("recorded_before");
        let is_whole = answer.body["repeated"] == true || counted == ROWS;
        assert!(is_whole && count("unchanged") == 0, "{answer:?}");
    }
}
