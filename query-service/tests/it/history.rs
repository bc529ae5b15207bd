//! History, whole and in pages, and that a company's key sees nothing of another's.

use serde_json::Value;
use service_kit::access::KeyRole;
use uuid::Uuid;

use crate::shop::Shop;

fn versions(page: &Value) -> Vec<u64> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|event| event["version"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn history_leads_from_page_to_page() {
    let shop = Shop::open().await;
    let auditor = shop.key(KeyRole::Auditor, None).await;
    let id = shop.record(Uuid::from_u128(1), 5).await;
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let (status, page) = shop.get(&auditor, &format!("/v1/history/{id}?limit=2{next}")).await;
        assert_eq!(status, 200, "{page}");
        seen.extend(versions(&page));
        // The last page leads on too, to what is recorded later.
        match page["next_cursor"].as_str().filter(|_| !versions(&page).is_empty()) {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
}

/// Whatever cursor it makes up: the first page, one within, the end, and beyond.
#[tokio::test]
async fn anothers_history_is_like_a_missing_one_at_every_cursor() {
    let shop = Shop::open().await;
    let (own, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let integrator = shop.key(KeyRole::Integrator, Some(own)).await;
    let theirs = shop.record(other, 3).await;
    let missing = Uuid::from_u128(3);
    // Base64 of 0, 1, 3 and 9.
    for query in ["", "?cursor=MA", "?cursor=MQ", "?cursor=Mw", "?cursor=OQ"] {
        let of_theirs = shop.get(&integrator, &format!("/v1/history/{theirs}{query}")).await;
        let of_missing = shop.get(&integrator, &format!("/v1/history/{missing}{query}")).await;
        assert_eq!(of_theirs.0, 404, "{query}: {}", of_theirs.1);
        assert_eq!(of_theirs, of_missing, "{query}");
    }
}

#[tokio::test]
async fn a_company_reads_its_own_events_alone() {
    let shop = Shop::open().await;
    let (own, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let integrator = shop.key(KeyRole::Integrator, Some(own)).await;
    let auditor = shop.key(KeyRole::Auditor, None).await;
    shop.record(other, 2).await;
    let ours = shop.record(own, 2).await;
    shop.record(other, 1).await;
    let (status, page) = shop.get(&integrator, "/v1/events").await;
    assert_eq!((status, versions(&page)), (200, vec![1, 2]));
    assert!(
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|event| event["stream_id"] == ours.to_string())
    );
    let (_, all) = shop.get(&auditor, "/v1/events").await;
    let positions: Vec<_> =
        all["items"].as_array().unwrap().iter().map(|e| e["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn what_nobody_asks_for_is_refused() {
    let shop = Shop::open().await;
    let admin = shop.key(KeyRole::Admin, None).await;
    for path in [
        "account-balances",
        "companies",
        "events",
        "invoices",
        "offers",
        "orders",
        "payments",
        "products",
        "shipments",
    ] {
        let (status, problem) = shop.get(&admin, &format!("/v1/{path}?colour=blue")).await;
        assert_eq!((status, problem["code"].as_str()), (400, Some("query.invalid")), "{path}");
        let (status, _) = shop.get(&admin, &format!("/v1/{path}?limit=1&wait_for=0")).await;
        assert_eq!(status, 200, "{path}");
    }
}
