//! What a read model leaves out, as those see it who ask.

use serde_json::json;

use crate::{
    forgery::forge,
    instance::{Instance, eventually},
    journeys::Shop,
};

/// The policy that waits at an event of an order that it cannot read.
const READS_ORDERS: &str = "earlier_order_reserves_credit";

/// The status of an answer, its code where it is a problem, and how much it says to leave out.
async fn ask(instance: &Instance, role: &str, path: &str) -> (u16, Option<String>, Option<String>) {
    let url = format!("{}{path}", instance.address().url());
    let request = reqwest::Client::new().get(url).bearer_auth(instance.key(role));
    let answer = request.send().await.unwrap();
    let header = answer.headers().get("kontor-set-aside");
    let left_out = header.map(|count| count.to_str().unwrap().to_owned());
    let status = answer.status().as_u16();
    let body: serde_json::Value = answer.json().await.unwrap();
    (status, body["code"].as_str().map(ToOwned::to_owned), left_out)
}

#[tokio::test]
async fn queries_name_what_is_set_aside() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let lines = || json!([{ "sku": "RICE", "quantity": "1" }]);
    let (damaged, whole) =
        (shop.confirmed_order(lines()).await, shop.confirmed_order(lines()).await);
    instance.settled().await;
    let of = |order: &str| format!("/v1/orders/{order}");
    assert_eq!(ask(instance, "grocer", &of(&damaged)).await, (200, None, None));

    let framed = json!({ "type": "framed" });
    let stream = damaged.parse().unwrap();
    let position = forge(&instance.database().await, stream, "order.framed", 1, &framed).await;
    let later = shop.confirmed_order(lines()).await;
    instance.settled_without(&[READS_ORDERS]).await;
    let unavailable = (503, Some("read_model.set_aside".to_owned()), None);
    let marked = (200, None, Some("1".to_owned()));
    for role in ["grocer", "admin"] {
        assert_eq!(ask(instance, role, &of(&damaged)).await, unavailable, "{role}");
        assert_eq!(ask(instance, role, "/v1/orders").await, marked, "{role}");
        for order in [&whole, &later] {
            assert_eq!(ask(instance, role, &of(order)).await, marked, "{role}: all else goes on");
        }
    }
    assert_eq!(ask(instance, "grocer", "/v1/invoices").await, (200, None, None));
    let shipments = format!("/v1/shipments?order={damaged}");
    assert_eq!(ask(instance, "grocer", &shipments).await, marked, "they copy where it goes alone");

    let ready = instance.get("admin", "/health/ready").await;
    assert_eq!(ready.status, 200, "requests are served");
    let said = format!("1 set aside, the first from position {position} on, order {damaged}");
    assert!(ready.body.to_string().contains(&said), "{}", ready.body);
    let alarm = "kontor_projection_set_aside{projection=\"orders\"} 1";
    eventually("the metric says so", async || {
        instance.text("/metrics").await.contains(alarm).then_some(())
    })
    .await;
    let status = instance.run(&["projections", "status"]);
    let line = format!("set aside from position {position} on: order {damaged}");
    assert!(status.contains(&line), "{status}");
    let compared = instance.run(&["projections", "compare", "all"]);
    assert!(compared.lines().all(|line| line.trim_end().ends_with("equal")), "{compared}");

    // Documents copy what the company is; that it cannot be read keeps none of them from being shown.
    let stream = shop.grocer.parse().unwrap();
    forge(&instance.database().await, stream, "company.framed", 1, &framed).await;
    instance.settled_without(&[READS_ORDERS]).await;
    let company = format!("/v1/companies/{}", shop.grocer);
    for role in ["grocer", "admin"] {
        assert_eq!(ask(instance, role, &company).await, unavailable, "{role}");
        assert_eq!(ask(instance, role, "/v1/invoices").await, marked, "{role}");
        let both = (200, None, Some("2".to_owned()));
        assert_eq!(ask(instance, role, &of(&whole)).await, both, "{role}");
    }
}
