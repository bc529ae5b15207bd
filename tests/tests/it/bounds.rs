//! Every amount is held to a ceiling.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    forgery::forge,
    journeys::{Shop, created, done, refused},
};

const CREDIT_NOTES: &str = "/v1/credit-notes";

/// Where requests bring amounts; a new one must be tried below.
const AMOUNTS: [&str; 7] = [
    "/v1/approval-rules /rules/*/when/above/*",
    "/v1/companies/{id}/approval-rules /rules/*/when/above/*",
    "/v1/companies/{id}/credit-limit /limit",
    "/v1/discounts/offer /programme/tiers/tiers/*/at_least",
    "/v1/employees/{id}/limits /limit",
    "/v1/payments /amount",
    "/v1/payments/{id}/allocate /amount",
];

#[tokio::test]
async fn no_amount_goes_beyond_the_ceiling() {
    let mut shop = Shop::open().await;
    let grocer = shop.grocer.clone();
    let ewa = shop.house.engage("Ewa", "purchaser", Some(&grocer)).await;
    let house = &shop.house;
    let document = house.get("admin", "/openapi.json").await.body;
    let found = fields(&document, &|name, _| name == Some("Money"));
    assert_eq!(found, AMOUNTS.map(str::to_owned).into());

    let above = json!({ "amount": "1000000000000.01", "currency": "PLN" });
    let most = json!({ "amount": "1000000000000.00", "currency": "PLN" });
    let rules = |above: &Value| {
        json!({ "rules": [{ "name": "R", "when": { "above": [above] },
        "steps": [{ "by": { "kind": "role", "role": "approver" } }] }] })
    };
    let paid =
        |amount: &Value| json!({ "company": grocer, "method": "transfer", "amount": amount });
    let payment = created(house.post("accounting", "/v1/payments", &paid(&most)).await);
    let programme = |sum: &Value| {
        json!({ "audience": { "kind": "company", "company": grocer }, "programme": {
            "days": 30, "tiers": { "kind": "turnover", "tiers": [{ "at_least": sum, "percent": "1" }] } } })
    };
    let tried: [(&str, String, Value, &str); 7] = [
        ("admin", "/v1/approval-rules".to_owned(), rules(&above), "/rules/0/when/above/0"),
        (
            "admin",
            format!("/v1/companies/{grocer}/approval-rules"),
            rules(&above),
            "/rules/0/when/above/0",
        ),
        (
            "admin",
            format!("/v1/companies/{grocer}/credit-limit"),
            json!({ "limit": above }),
            "/limit",
        ),
        (
            "admin",
            "/v1/discounts/offer".to_owned(),
            programme(&above),
            "/programme/tiers/tiers/0/at_least",
        ),
        (
            "admin",
            format!("/v1/employees/{ewa}/limits"),
            json!({ "per": "day", "limit": above }),
            "/limit",
        ),
        ("admin", "/v1/payments".to_owned(), paid(&above), "/amount"),
        (
            "admin",
            format!("/v1/payments/{payment}/allocate"),
            json!({ "invoice": Uuid::nil(), "amount": above }),
            "/amount",
        ),
    ];
    for (role, path, body, pointer) in tried {
        let answer = house.post(role, &path, &body).await;
        refused(&answer, 422, "money.above_ceiling");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{answer:?}");
    }
    done(
        house
            .post(
                "admin",
                &format!("/v1/companies/{grocer}/credit-limit"),
                &json!({ "limit": most }),
            )
            .await,
    );
    done(house.post("admin", "/v1/discounts/offer", &programme(&most)).await);

    // What each part allows comes to more together.
    let much = json!([{ "sku": "COFFEE", "quantity": "1000000000", "unit_price": "1000000000" }]);
    let order = json!({ "company": grocer, "currency": "PLN", "lines": much });
    let offer = json!({ "company": grocer, "valid_until": "2099-12-31", "lines": much });
    for (path, body, code) in [
        ("/v1/orders", &order, "lines.sum_too_large"),
        (CREDIT_NOTES, &order, "money.above_ceiling"),
        ("/v1/offers", &offer, "money.above_ceiling"),
    ] {
        refused(&house.post("admin", path, body).await, 422, code);
    }

    // What an older build recorded is shown as far as sums go, and keeps nobody else from theirs.
    created(house.post("accounting", "/v1/payments", &payment(&shop.hotel, "5.00")).await);
    let database = house.database().await;
    for _ in 0..2 {
        let old = json!({ "type": "booked", "booking": {
            "company": grocer, "method": "transfer", "on": "2026-03-20",
            "amount": { "amount": "999990000000000000000000.00", "currency": "PLN" } } });
        forge(&database, Uuid::now_v7(), "payment.booked", 1, &old).await;
    }
    let balances = house
        .all("accounting", &format!("/v1/account-balances?wait_for={}", house.settled().await))
        .await;
    let of = |company: &str| balances.iter().find(|one| one["company"] == company).unwrap();
    assert_eq!(of(&grocer)["paid"]["amount"], "100000000000000000000000.00");
    assert_eq!(of(&grocer)["balance"]["amount"], "-100000000000000000000000.00");
    assert_eq!(of(&grocer)["is_capped"], true);
    assert_eq!(of(&shop.hotel)["paid"]["amount"], "5.00");
    assert_eq!(of(&shop.hotel)["is_capped"], Value::Null);
    done(house.get("grocer", "/v1/account-balances").await);
}

fn payment(company: &str, amount: &str) -> Value {
    json!({ "company": company, "method": "transfer",
        "amount": { "amount": amount, "currency": "PLN" } })
}

/// Where the bodies of commands have fields of some kind, by the name of their schema or by what it
/// says: path and pointer.
fn fields(document: &Value, wanted: &dyn Fn(Option<&str>, &Value) -> bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let contents = operations["post"]["requestBody"]["content"].as_object();
        for content in contents.into_iter().flat_map(|contents| contents.values()) {
            let mut seek = Seek { document, wanted, within: vec![], found: BTreeSet::new() };
            seek.walk(&content["schema"], "");
            found.extend(seek.found.into_iter().map(|pointer| format!("{path} {pointer}")));
        }
    }
    found
}

struct Seek<'a> {
    document: &'a Value,
    wanted: &'a dyn Fn(Option<&str>, &Value) -> bool,
    /// The named schemas that it is in: one may be in itself.
    within: Vec<String>,
    found: BTreeSet<String>,
}

impl Seek<'_> {
    fn walk(&mut self, schema: &Value, pointer: &str) {
        let name = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next());
        if (self.wanted)(name, schema) {
            self.found.insert(pointer.to_owned());
            return;
        }
        if let Some(name) = name {
            if !self.within.iter().any(|within| within == name) {
                self.within.push(name.to_owned());
                self.walk(&self.document["components"]["schemas"][name], pointer);
                self.within.pop();
            }
            return;
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            self.walk(property, &format!("{pointer}/{name}"));
        }
        for part in ["oneOf", "anyOf", "allOf"] {
            for part in schema[part].as_array().into_iter().flatten() {
                self.walk(part, pointer);
            }
        }
        for (part, step) in [("items", "*"), ("additionalProperties", "{}")] {
            if schema[part].is_object() {
                self.walk(&schema[part], &format!("{pointer}/{step}"));
            }
        }
    }
}
