//! Assignment of quotation requests to representatives, by territory and in turn.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    journeys::{created, done, refused, register},
    sales::quotation_requests::{NOWHERE, PLACE, Sales, address, coffee},
};

#[tokio::test]
async fn three_people_share_thirty_requests_made_at_once() {
    let sales = Sales::open().await;
    sales.act(&sales.shop.hotel, "billing-address", json!({ "address": address("80-001") })).await;
    let north = json!({ "countries": ["PL"], "postal_codes": ["80", "81"] });
    let north = sales.territory("Północ", north, &["Adam", "Beata", "Celina"]);
    sales.draw(json!([north]), &["Dorota"]).await;

    let (hotel, coffee) = (&sales, coffee());
    let asked = (0..30).map(|_| hotel.instance().post("hotel", "/v1/quotation-requests", &coffee));
    for answer in join_all(asked).await {
        created(answer);
    }
    let head = sales.instance().settled().await;
    let path = format!("/v1/quotation-requests?wait_for={head}");
    let mut shares: BTreeMap<String, usize> = BTreeMap::new();
    for request in sales.instance().all("sales", &path).await {
        assert_eq!(request["status"], "assigned");
        let name = request["representative"]["name"].as_str().unwrap().to_owned();
        *shares.entry(name).or_default() += 1;
    }
    let expected = ["Adam", "Beata", "Celina"].map(|name| (name.to_owned(), 10));
    assert_eq!(shares, BTreeMap::from(expected));
    // Each sees their own.
    assert_eq!(sales.ids("Adam", "mine=true").await.len(), 10);
    assert_eq!(sales.ids("Dorota", "mine=true").await.len(), 0);
}

#[tokio::test]
async fn requests_go_to_the_representative_of_the_company() {
    let mut sales = Sales::open().await;
    // Before any territory is set, somebody must take them.
    let first = sales.ask("hotel", coffee()).await;
    assert_eq!(sales.shown("hotel", &first).await["status"], "requested");

    let (hotel, grocer) = (sales.shop.hotel.clone(), sales.shop.grocer.clone());
    sales.act(&hotel, "billing-address", json!({ "address": address("80-001") })).await;
    sales.act(&grocer, "group", json!({ "group": "shops" })).await;
    let north = || sales.territory("Północ", json!({ "postal_codes": ["80-0"] }), &["Adam"]);
    let shops = || sales.territory("Sklepy", json!({ "groups": ["shops"] }), &["Beata"]);
    sales.draw(json!([north(), shops()]), &[]).await;
    assert_eq!(sales.ask_for_coffee("hotel").await, "Adam");
    assert_eq!(sales.ask_for_coffee("grocer").await, "Beata");
    // The first that fits counts, and where the goods would go comes before where invoices go.
    let place = json!({ "id": PLACE, "label": "Rampa", "address": address("80-001") });
    sales.act(&grocer, "delivery-addresses", place.clone()).await;
    let mut there = coffee();
    there["delivery_address"] = json!(PLACE);
    let request = sales.ask("grocer", there).await;
    assert_eq!(sales.holder(&request).await, "Adam");
    // A company that is named comes first, with those below it.
    let branch = register(sales.instance(), "Hotel Gdynia", "9999999999", 7).await;
    sales.shop.instance.make_key("branch", "purchaser", Some(&branch)).await;
    assert_eq!(sales.ask_for_coffee("branch").await, "nobody");
    sales.act(&branch, "parent", json!({ "parent": hotel })).await;
    let north = sales.territory("Północ", json!({ "postal_codes": ["80-0"] }), &["Adam"]);
    let key = sales.territory("Sieć", json!({ "companies": [hotel] }), &["Celina"]);
    sales.draw(json!([north, key]), &["Dorota"]).await;
    assert_eq!(sales.ask_for_coffee("hotel").await, "Celina");
    assert_eq!(sales.ask_for_coffee("branch").await, "Celina");
    // What the seller enters goes the same way; whom no territory fits is everywhere.
    let entered = json!({ "company": branch, "currency": "PLN",
        "lines": [{ "wanted": "Kubki", "quantity": "5" }] });
    let entered = sales.ask("sales", entered).await;
    assert_eq!(sales.holder(&entered).await, "Celina");
    let other = register(sales.instance(), "Biuro", "2222222222", 7).await;
    sales.shop.instance.make_key("office", "purchaser", Some(&other)).await;
    assert_eq!(sales.ask_for_coffee("office").await, "Dorota");
    let drawn = sales.instance().get("sales", "/v1/territories").await.body;
    assert_eq!(drawn["territories"][1]["name"], "Sieć");
    assert_eq!(drawn["everywhere"], json!(sales.of(&["Dorota"])));
}

#[tokio::test]
async fn whoever_is_away_or_gone_is_left_out() {
    let sales = Sales::open().await;
    let all = || sales.territory("Wszyscy", json!({}), &["Adam", "Beata"]);
    sales.draw(json!([all()]), &[]).await;
    // Adam is away, and Dorota stands in for him; then Beata, who has turns of her own.
    let adam = &sales.ids["Adam"];
    let away = |substitute: &str| json!({ "substitute": sales.ids[substitute], "from": "2020-01-01", "until": "2099-12-31" });
    let path = format!("/v1/employees/{adam}/substitute");
    done(sales.instance().post("Adam", &path, &away("Dorota")).await);
    assert_eq!(sales.ask_for_coffee("hotel").await, "Dorota");
    assert_eq!(sales.ask_for_coffee("hotel").await, "Beata");
    done(sales.instance().post("Adam", &path, &away("Beata")).await);
    for _ in 0..2 {
        assert_eq!(sales.ask_for_coffee("hotel").await, "Beata");
    }
    done(sales.instance().post("Adam", &format!("{path}/dismiss"), &json!({})).await);
    let adams = sales.ask("hotel", coffee()).await;
    assert_eq!(sales.holder(&adams).await, "Adam");

    // Nobody takes what somebody else sees to; a manager gives it to whom they like.
    let taken = sales.command("Beata", &adams, "take", json!({})).await;
    refused(&taken, 409, "quotation_request.in_other_hands");
    refused(
        &sales.command("sales", &adams, "take", json!({})).await,
        403,
        "quotation_request.needs_employee",
    );
    let to = |name: &str| json!({ "representative": sales.ids[name] });
    let assign = sales.command("Beata", &adams, "assign", to("Beata")).await;
    refused(&assign, 403, "role_not_allowed");
    for stranger in [json!({ "representative": NOWHERE }), to("Zenon")] {
        let answer = sales.command("manager", &adams, "assign", stranger).await;
        refused(&answer, 422, "body.names_nothing");
        assert_eq!(answer.body["errors"][0]["pointer"], "/representative");
    }
    for _ in 0..2 {
        done(sales.command("manager", &adams, "assign", to("Celina")).await);
    }
    assert_eq!(sales.holder(&adams).await, "Celina");
    let shown = sales.shown("hotel", &adams).await;
    assert_eq!(shown["representative"]["email"], "Celina@example.pl", "{shown}");

    // When Celina has left, others take it.
    let leave = format!("/v1/employees/{}/leave", sales.ids["Celina"]);
    done(sales.instance().post("admin", &leave, &json!({})).await);
    for _ in 0..2 {
        done(sales.command("Beata", &adams, "take", json!({})).await);
    }
    assert_eq!(sales.holder(&adams).await, "Beata");
    // Nor is a territory given to somebody who has left.
    let map =
        json!({ "territories": [all(), sales.territory("B", json!({}), &["Adam", "Celina"])] });
    let answer = sales.instance().post("manager", "/v1/territories", &map).await;
    refused(&answer, 422, "body.names_nothing");
    assert_eq!(answer.body["errors"][0]["pointer"], "/territories/1/representatives/1");
}

#[tokio::test]
async fn invalid_territories_are_refused() {
    let sales = Sales::open().await;
    let before = sales.instance().settled().await;
    let map = |territories: Value| json!({ "territories": territories });
    let all = |people: &[&str]| sales.territory("A", json!({}), people);
    let of = |what: Value| sales.territory("A", what, &["Adam"]);
    for (body, code, pointer) in [
        (map(json!([all(&[])])), "territories.representative_count", "/territories/0"),
        (map(json!([all(&["Adam"]), all(&["Beata"])])), "territories.same_name", "/territories/1"),
        (map(json!([all(&["Adam", "Adam"])])), "territories.named_twice", "/territories/0"),
        (map(json!(vec![all(&["Adam"]); 201])), "territories.too_many", "/territories"),
        (
            map(json!([all(&["Adam", "Zenon"])])),
            "body.names_nothing",
            "/territories/0/representatives/1",
        ),
        (
            map(json!([of(json!({ "companies": [NOWHERE] }))])),
            "body.names_nothing",
            "/territories/0/companies",
        ),
        (
            map(json!([of(json!({ "countries": ["Poland"] }))])),
            "body.invalid",
            "/territories/0/countries/0",
        ),
        (
            json!({ "territories": [], "everywhere": [NOWHERE] }),
            "body.names_nothing",
            "/everywhere/0",
        ),
        (
            json!({ "territories": [], "everywhere": sales.of(&["Adam", "Adam"]) }),
            "territories.named_twice",
            "/everywhere",
        ),
    ] {
        let answer = sales.instance().post("manager", "/v1/territories", &body).await;
        refused(&answer, 422, code);
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{answer:?}");
    }
    assert_eq!(sales.instance().settled().await, before, "rubbish leaves no trace");
}
