//! A company with subsidiaries: inherited terms, addresses, bank accounts, and suspension.

use serde_json::{Value, json};

use crate::journeys::{Shop, created, done, refused, register, stamp};

const PLACE: &str = "00000000-0000-7000-8000-0000000000ad";

fn address(city: &str) -> Value {
    json!({ "street": "Długa 1", "postal_code": "80-001", "city": city, "country": "PL" })
}

fn order() -> Value {
    json!({ "currency": "PLN", "lines": [{ "sku": "RICE", "quantity": "1" }] })
}

impl Shop {
    async fn act(&self, role: &str, company: &str, what: &str, body: Value) {
        done(self.instance.post(role, &format!("/v1/companies/{company}/{what}"), &body).await);
    }

    async fn company(&self, role: &str, company: &str) -> Value {
        let head = self.instance.settled().await;
        self.instance.get(role, &format!("/v1/companies/{company}?wait_for={head}")).await.body
    }
}

#[tokio::test]
async fn branches_buy_on_the_terms_of_the_parent_company() {
    let mut shop = Shop::open().await;
    let branch = register(&shop.instance, "Hotel Gdynia", "9999999999", 7).await;
    shop.instance.make_key("branch", "purchaser", Some(&branch)).await;
    shop.act("sales", &branch, "parent", json!({ "parent": shop.hotel })).await;
    shop.act("sales", &branch, "payment-term/inherit", json!({})).await;
    let term =
        json!({ "kind": "end_of_month", "days": 10, "early": { "discount": "2", "days": 10 } });
    shop.act("sales", &shop.hotel, "payment-term", json!({ "payment_term": term })).await;

    let shown = shop.company("branch", &branch).await;
    assert_eq!(shown["payment_term"], term);
    assert_eq!(
        (&shown["payment_term_inherited"], &shown["parent"]),
        (&json!(true), &json!(shop.hotel))
    );
    let placed = created(shop.instance.post("branch", "/v1/orders", &order()).await);
    let head = shop.instance.settled().await;
    let placed =
        shop.instance.get("branch", &format!("/v1/orders/{placed}?wait_for={head}")).await.body;
    assert_eq!(placed["payment_term"], term);
    let below =
        shop.instance.get("sales", &format!("/v1/companies?parent={}", shop.hotel)).await.body;
    assert_eq!(below["items"].as_array().unwrap().len(), 1);

    // Nobody is above itself, and who inherits cannot be left alone.
    for (child, parent, code) in [
        (&shop.hotel, json!(branch), "company.parent_is_below"),
        (&shop.hotel, json!(shop.hotel), "company.parent_is_below"),
        (&branch, Value::Null, "company.no_parent"),
    ] {
        let path = format!("/v1/companies/{child}/parent");
        let answer = shop.instance.post("sales", &path, &json!({ "parent": parent })).await;
        refused(&answer, 409, code);
    }
}

#[tokio::test]
async fn a_suspended_company_and_its_subsidiaries_buy_nothing() {
    let mut shop = Shop::open().await;
    let branch = register(&shop.instance, "Delikatesy Sopot", "9999999999", 7).await;
    shop.instance.make_key("branch", "purchaser", Some(&branch)).await;
    shop.act("sales", &branch, "parent", json!({ "parent": shop.grocer })).await;
    let offer = shop.sent_offer().await;
    shop.act("sales", &shop.grocer, "verify", json!({})).await;
    shop.act("accounting", &shop.grocer, "suspend", json!({ "reason": "overdue" })).await;

    let accept = format!("/v1/offers/{offer}/accept");
    let stamp = stamp(&shop.instance, &offer).await;
    for (role, path, body) in [
        ("grocer", "/v1/orders", order()),
        ("branch", "/v1/orders", order()),
        ("grocer", accept.as_str(), stamp.clone()),
    ] {
        refused(&shop.instance.post(role, path, &body).await, 409, "company.suspended");
    }
    let standing = shop.company("grocer", &shop.grocer).await["standing"].clone();
    assert_eq!((&standing["kind"], &standing["reason"]), (&json!("suspended"), &json!("overdue")));

    shop.act("accounting", &shop.grocer, "reinstate", json!({})).await;
    assert_eq!(shop.company("grocer", &shop.grocer).await["standing"]["kind"], "verified");
    created(shop.instance.post("branch", "/v1/orders", &order()).await);
    done(shop.instance.post("grocer", &accept, &stamp).await);
}

#[tokio::test]
async fn a_company_has_places_accounts_and_limits() {
    let mut shop = Shop::open().await;
    shop.instance.make_key("boss", "company_admin", Some(&shop.grocer.clone())).await;
    let grocer = &shop.grocer;
    shop.act("sales", grocer, "rename", json!({ "name": "Delikatesy S.A." })).await;
    shop.act("sales", grocer, "billing-address", json!({ "address": address("Gdańsk") })).await;
    for city in ["Gdańsk", "Sopot"] {
        let place = json!({ "id": PLACE, "label": "Rampa", "address": address(city) });
        shop.act("boss", grocer, "delivery-addresses", place).await;
    }
    shop.act("sales", grocer, "vat-number", json!({ "vat_number": "PL 526-025-02-74" })).await;
    shop.act("sales", grocer, "group", json!({ "group": "shops" })).await;
    let account = json!({ "account": "61 1090 1014 0000 0712 1981 2874" });
    shop.act("accounting", grocer, "bank-accounts", account.clone()).await;
    let limit = json!({ "amount": "50000.00", "currency": "PLN" });
    shop.act("accounting", grocer, "credit-limit", json!({ "limit": limit })).await;

    let shown = shop.company("boss", grocer).await;
    for (field, value) in [
        ("name", json!("Delikatesy S.A.")),
        ("billing_address", address("Gdańsk")),
        ("delivery_addresses", json!({ PLACE: { "label": "Rampa", "address": address("Sopot") } })),
        ("vat_number", json!("PL5260250274")),
        ("group", json!("shops")),
        ("bank_accounts", json!(["PL61109010140000071219812874"])),
        ("credit_limits", json!({ "PLN": limit })),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    shop.act("boss", grocer, "delivery-addresses/drop", json!({ "id": PLACE })).await;
    shop.act("accounting", grocer, "bank-accounts/drop", account).await;
    shop.act("accounting", grocer, "credit-limit/lift", json!({ "currency": "PLN" })).await;
    shop.act("sales", grocer, "group", json!({ "group": null })).await;
    let shown = shop.company("boss", grocer).await;
    for (field, value) in [
        ("delivery_addresses", json!({})),
        ("bank_accounts", json!([])),
        ("credit_limits", json!({})),
        ("group", Value::Null),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }

    // Wrong numbers name their field; another company's places are like missing ones.
    let path = |company: &str, what: &str| format!("/v1/companies/{company}/{what}");
    let wrong = json!({ "account": "PL62109010140000071219812874" });
    let answer = shop.instance.post("accounting", &path(grocer, "bank-accounts"), &wrong).await;
    refused(&answer, 422, "body.invalid");
    assert_eq!(answer.body["errors"][0]["pointer"], "/account");
    let place = json!({ "id": PLACE, "label": "Rampa", "address": address("Gdańsk") });
    let answer = shop.instance.post("boss", &path(&shop.hotel, "delivery-addresses"), &place).await;
    refused(&answer, 404, "not_found");
}

/// Of 2024-07-25, hashed ten times; the grocer's account is listed, the hotel's is not.
const FLAT_FILE: &str = r#"{
    "naglowek": { "dataGenerowaniaDanych": "20240725", "liczbaTransformacji": "10" },
    "maski": ["XX12406960YYYXXXXXXXXXXXXX"],
    "skrotyPodatnikowCzynnych": [
        "fc8ae6394aa822933f76dddd1f78094234f0bfb69df331257c94d2ab86ebb4f905801b801b48d44d207a6e641ca2873e4335d2ec25ec0668bda84d09559f433c"
    ],
    "skrotyPodatnikowZwolnionych": []
}"#;

#[tokio::test]
async fn accounts_are_looked_up_on_the_vat_white_list() {
    let shop = Shop::open().await;
    let account = json!({ "account": "PL61109010140000071219812874" });
    let path = |company: &str| format!("/v1/companies/{company}/bank-accounts/check");
    let unknown = shop.instance.post("accounting", &path(&shop.grocer), &account).await;
    refused(&unknown, 404, "company.no_such_account");
    for company in [&shop.grocer, &shop.hotel] {
        shop.act("accounting", company, "bank-accounts", account.clone()).await;
    }
    let early = shop.instance.post("accounting", &path(&shop.grocer), &account).await;
    refused(&early, 409, "white_list.not_loaded");

    let file = shop.instance.directory().join("20240725.json");
    std::fs::write(&file, FLAT_FILE).unwrap();
    let load = ["white-list", "load", file.to_str().unwrap()];
    assert_eq!(shop.instance.run(&load), "the white list of 2024-07-25 has 1 digests\n");
    for (company, check) in [
        (&shop.grocer, json!({ "list_of": "2024-07-25", "listed": "active" })),
        (&shop.hotel, json!({ "list_of": "2024-07-25", "listed": null })),
    ] {
        shop.act("accounting", company, "bank-accounts/check", account.clone()).await;
        let shown = shop.company("accounting", company).await;
        assert_eq!(shown["bank_account_checks"]["PL61109010140000071219812874"], check);
    }

    // What is no list changes nothing.
    for broken in [
        FLAT_FILE.replace("skrotyPodatnikowZwolnionych", "zwolnieni"),
        FLAT_FILE.replace("fc8ae6", "nothex"),
        FLAT_FILE[..300].to_owned(),
    ] {
        std::fs::write(&file, broken).unwrap();
        assert_eq!(shop.instance.succeeds(&load), None);
    }
    std::fs::write(&file, FLAT_FILE.replace(r#""fc"#, r#""00"#)).unwrap();
    shop.instance.run(&load);
    shop.act("accounting", &shop.grocer, "bank-accounts/check", account).await;
    let shown = shop.company("accounting", &shop.grocer).await;
    let check = &shown["bank_account_checks"]["PL61109010140000071219812874"];
    assert_eq!(check["listed"], Value::Null);
}
