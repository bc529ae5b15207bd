//! Questions of another front end in the same process: they are limited like those over HTTP.

use query_service::{
    Asker,
    app::{billing::invoices, events, inventory::stock, parties::companies, sales::orders},
};
use service_kit::{
    access::{KeyRole, Principal},
    page::Listing,
    position::WaitFor,
};
use uuid::Uuid;

use crate::shop::Shop;

fn asker(role: KeyRole, company: Option<Uuid>) -> Asker {
    let principal = Principal { key: Uuid::from_u128(9), role, company, employee: None };
    Asker::new(principal, WaitFor::default())
}

#[tokio::test]
async fn a_company_sees_nothing_of_another_s() {
    let shop = Shop::open().await;
    let queries = &shop.queries;
    let (own, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    shop.record(other, 2).await;
    let ours = shop.record(own, 2).await;

    let integrator = asker(KeyRole::Integrator, Some(own));
    let page = events::list(queries, &integrator, Listing::default()).await.unwrap();
    let streams: Vec<Uuid> = page.items.iter().map(|event| event.stream_id).collect();
    assert_eq!(streams, [ours, ours]);

    let purchaser = asker(KeyRole::Purchaser, Some(own));
    let filter = orders::List { company: Some(other), ..orders::List::default() };
    let theirs = orders::list(queries, &purchaser, Listing { filter, ..Listing::default() });
    assert_eq!(theirs.await.unwrap_err().code(), "not_found");
    let other = companies::show(queries, &purchaser, other).await;
    assert_eq!(other.unwrap_err().code(), "not_found");
}

#[tokio::test]
async fn a_role_is_refused_what_is_not_its_own() {
    let shop = Shop::open().await;
    let warehouse = asker(KeyRole::Warehouse, None);
    stock::list(&shop.queries, &warehouse, Listing::default()).await.unwrap();
    let refused = invoices::list(&shop.queries, &warehouse, Listing::default()).await;
    assert_eq!(refused.unwrap_err().code(), "role_not_allowed");
}
