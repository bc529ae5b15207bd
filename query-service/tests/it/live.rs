//! Watchers, however slow, receive everything once and in order.

use std::time::Duration;

use service_kit::access::KeyRole;
use uuid::Uuid;

use crate::shop::Shop;

/// More than the process keeps for those who are slow, several times over.
const MANY: usize = 6_000;

/// Reads the positions that a watcher receives, up to the one that ends it; slowly at first.
async fn positions(mut answer: reqwest::Response, last: u64) -> Vec<u64> {
    let (mut text, mut positions) = (String::new(), Vec::new());
    while let Some(chunk) = answer.chunk().await.unwrap() {
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        while let Some(end) = text.find("\n\n") {
            let frame: String = text.drain(..end + 2).collect();
            if frame.contains("event: live") {
                continue;
            }
            let id = frame.lines().find_map(|line| line.strip_prefix("id: "));
            positions.extend(id.map(|id| id.parse::<u64>().unwrap()));
        }
        if positions.last().is_some_and(|position| *position >= last) {
            return positions;
        }
    }
    panic!("it ended after {:?}, before {last}", positions.last());
}

#[tokio::test]
async fn who_falls_behind_goes_on_from_the_log() {
    let shop = Shop::open().await;
    let (own, other) = (Uuid::now_v7(), Uuid::now_v7());
    let buyer = shop.key(KeyRole::Purchaser, Some(own)).await;
    let seller = shop.key(KeyRole::Sales, None).await;
    shop.record(other, 3).await;
    let begun = shop.log.head().await.unwrap().0;

    // Nobody reads while more happens than is kept for them.
    let (buyers, sellers) =
        (shop.begin(&buyer, "/v1/live").await, shop.begin(&seller, "/v1/live").await);
    for _ in 0..10 {
        shop.record(own, MANY / 10).await;
        shop.record(other, MANY / 10).await;
    }
    shop.record(own, 1).await;
    let head = shop.log.head().await.unwrap().0;
    let received = tokio::time::timeout(
        Duration::from_mins(1),
        futures::future::join(positions(buyers, head), positions(sellers, head)),
    );
    let (to_buyer, to_seller) = received.await.expect("they receive all of it");
    assert_eq!(to_seller, (begun + 1..=head).collect::<Vec<_>>());
    let batch = (MANY / 10) as u64;
    let is_own = |position: &u64| ((position - begun - 1) / batch).is_multiple_of(2);
    assert_eq!(to_buyer, (begun + 1..=head).filter(is_own).collect::<Vec<_>>());

    // Coming back from in between is the same as having stayed.
    let half = to_buyer[to_buyer.len() / 2];
    let again = shop.begin(&buyer, &format!("/v1/live?from={half}")).await;
    let rest = positions(again, head).await;
    assert_eq!(rest, to_buyer[to_buyer.len() / 2 + 1..]);
}
