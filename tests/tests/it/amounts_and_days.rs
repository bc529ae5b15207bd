//! Every amount is held to a ceiling, and every day of what has happened to today.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    forgery::forge,
    journeys::{Shop, created, done, refused, today},
};

const CREDIT_NOTES: &str = "/v1/credit-notes";

/// Where requests bring amounts; a new one must be tried below.
const AMOUNTS: [&str; 10] = [
    "/v1/carts/{id}/order /expected_total",
    "/v1/approval-rules /rules/*/when/above/*",
    "/v1/companies/{id}/approval-rules /rules/*/when/above/*",
    "/v1/companies/{id}/credit-limit /limit",
    "/v1/companies/{id}/minimum-order /minimum",
    "/v1/discounts/offer /programme/tiers/tiers/*/at_least",
    "/v1/employees/{id}/limits /limit",
    "/v1/orders /expected_total",
    "/v1/payments /amount",
    "/v1/payments/{id}/allocate /amount",
];

#[tokio::test]
async fn no_amount_goes_beyond_the_ceiling() {
    let mut shop = Shop::open().await;
    let grocer = shop.grocer.clone();
    let ewa = shop.instance.engage("Ewa", "purchaser", Some(&grocer)).await;
    let instance = &shop.instance;
    let document = instance.get("admin", "/openapi.json").await.body;
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
    let booked = created(instance.post("accounting", "/v1/payments", &paid(&most)).await);
    let expected = |total: &Value| {
        json!({ "company": grocer, "currency": "PLN", "expected_total": total,
            "lines": [{ "sku": "RICE", "quantity": "1" }] })
    };
    let programme = |sum: &Value| {
        json!({ "audience": { "kind": "company", "company": grocer }, "programme": {
            "days": 30, "tiers": { "kind": "turnover", "tiers": [{ "at_least": sum, "percent": "1" }] } } })
    };
    let tried = [
        (format!("carts/{grocer}/order"), json!({ "expected_total": above }), "/expected_total"),
        ("approval-rules".to_owned(), rules(&above), "/rules/0/when/above/0"),
        (format!("companies/{grocer}/approval-rules"), rules(&above), "/rules/0/when/above/0"),
        (format!("companies/{grocer}/credit-limit"), json!({ "limit": above }), "/limit"),
        (format!("companies/{grocer}/minimum-order"), json!({ "minimum": above }), "/minimum"),
        ("orders".to_owned(), expected(&above), "/expected_total"),
        ("discounts/offer".to_owned(), programme(&above), "/programme/tiers/tiers/0/at_least"),
        (format!("employees/{ewa}/limits"), json!({ "per": "day", "limit": above }), "/limit"),
        ("payments".to_owned(), paid(&above), "/amount"),
        (
            format!("payments/{booked}/allocate"),
            json!({ "invoice": Uuid::nil(), "amount": above }),
            "/amount",
        ),
    ];
    for (path, body, pointer) in tried {
        let answer = instance.post("admin", &format!("/v1/{path}"), &body).await;
        refused(&answer, 422, "money.above_ceiling");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{answer:?}");
    }
    done(
        instance
            .post(
                "admin",
                &format!("/v1/companies/{grocer}/credit-limit"),
                &json!({ "limit": most }),
            )
            .await,
    );
    done(instance.post("admin", "/v1/discounts/offer", &programme(&most)).await);

    // What each part allows comes to more together.
    let much = json!([{ "sku": "COFFEE", "quantity": "1000000000", "unit_price": "1000000000" }]);
    let order = json!({ "company": grocer, "currency": "PLN", "lines": much });
    let offer = json!({ "company": grocer, "valid_until": "2099-12-31", "lines": much });
    for (path, body, code) in [
        ("/v1/orders", &order, "lines.sum_too_large"),
        (CREDIT_NOTES, &order, "money.above_ceiling"),
        ("/v1/offers", &offer, "money.above_ceiling"),
    ] {
        refused(&instance.post("admin", path, body).await, 422, code);
    }

    // What an older build recorded is shown as far as sums go, and keeps nobody else from theirs.
    created(instance.post("accounting", "/v1/payments", &payment(&shop.hotel, "5.00")).await);
    let database = instance.database().await;
    for _ in 0..2 {
        let old = json!({ "type": "booked", "booking": {
            "company": grocer, "method": "transfer", "on": "2026-03-20",
            "amount": { "amount": "999990000000000000000000.00", "currency": "PLN" } } });
        forge(&database, Uuid::now_v7(), "payment.booked", 1, &old).await;
    }
    let balances = instance
        .all("accounting", &format!("/v1/account-balances?wait_for={}", instance.settled().await))
        .await;
    let of = |company: &str| balances.iter().find(|one| one["company"] == company).unwrap();
    assert_eq!(of(&grocer)["paid"]["amount"], "100000000000000000000000.00");
    assert_eq!(of(&grocer)["balance"]["amount"], "-100000000000000000000000.00");
    assert_eq!(of(&grocer)["is_capped"], true);
    assert_eq!(of(&shop.hotel)["paid"]["amount"], "5.00");
    assert_eq!(of(&shop.hotel)["is_capped"], Value::Null);
    done(instance.get("grocer", "/v1/account-balances").await);
}

/// The days of returns, which need more before them than a day that is refused.
const OF_RETURNS: [&str; 4] = [
    "/v1/returns /requested_on",
    "/v1/returns/{id}/credit /issued_on",
    "/v1/returns/{id}/receive /received_on",
    "/v1/returns/{id}/send /sent_on",
];
/// The days of what has happened, none of which may come after tomorrow.
const HAPPENED: [&str; 6] = [
    "/v1/credit-notes /issued_on",
    "/v1/credit-notes /sold_on",
    "/v1/orders /placed_on",
    "/v1/payments /booked_on",
    "/v1/shipments /dispatched_on",
    "/v1/shipments/{id}/dispatch /dispatched_on",
];
const TO_COME: [&str; 42] = [
    "/v1/carts/{id}/order /wished_on",
    "/v1/carts/{id}/quotation-request /answer_by",
    "/v1/employees/{id}/substitute /from",
    "/v1/employees/{id}/substitute /until",
    "/v1/negotiations/{id}/propose /say/answer_by",
    "/v1/negotiations/{id}/propose /say/lines/*/deliver_on",
    "/v1/offers /lines/*/deliver_on",
    "/v1/offers /valid_until",
    "/v1/offers/{id}/contract /from",
    "/v1/offers/{id}/contract /until",
    "/v1/offers/{id}/draft /lines/*/deliver_on",
    "/v1/offers/{id}/draft /valid_until",
    "/v1/offers/{id}/extend /valid_until",
    "/v1/offers/{id}/negotiate /say/answer_by",
    "/v1/offers/{id}/negotiate /say/lines/*/deliver_on",
    "/v1/orders /wished_on",
    "/v1/orders/{id}/promise /available_on",
    "/v1/orders/{id}/promise /promised_on",
    "/v1/price-agreements /from",
    "/v1/price-agreements /until",
    "/v1/price-agreements/{id}/prices /prices/*/days/from",
    "/v1/price-agreements/{id}/prices /prices/*/days/until",
    "/v1/price-agreements/{id}/shorten /until",
    "/v1/products/{id}/vat-rate /from",
    "/v1/quotation-requests /answer_by",
    "/v1/standing-orders /prices_fixed_until",
    "/v1/standing-orders /schedule/ends/day",
    "/v1/standing-orders /schedule/starts_on",
    "/v1/standing-orders/{id}/change /prices_fixed_until",
    "/v1/standing-orders/{id}/change /schedule/ends/day",
    "/v1/standing-orders/{id}/change /schedule/starts_on",
    "/v1/standing-orders/{id}/change-date /date",
    "/v1/standing-orders/{id}/change-date /on",
    "/v1/standing-orders/{id}/restore /date",
    "/v1/standing-orders/{id}/skip /date",
    "/v1/stock /levels/*/expected",
    "/v1/stock/feed /rows/*/best_before",
    "/v1/stock/{id}/adjust /lot/best_before",
    "/v1/stock/{id}/count /lot/best_before",
    "/v1/stock/{id}/expect /on",
    "/v1/stock/{id}/receive /lot/best_before",
    "/v1/stock/{id}/take-back /lot/best_before",
];

#[tokio::test]
async fn what_has_happened_is_not_dated_after_tomorrow() {
    let shop = Shop::open().await;
    let Shop { instance, grocer, .. } = &shop;
    let document = instance.get("admin", "/openapi.json").await.body;
    let found = fields(&document, &|_, schema| schema["format"] == "date");
    let requested = "/v1/quotation-requests /lines/*/delivery_on";
    let known: BTreeSet<String> = HAPPENED
        .into_iter()
        .chain(OF_RETURNS)
        .chain(TO_COME)
        .chain([requested])
        .map(str::to_owned)
        .collect();
    assert_eq!(found, known, "a new day: has it happened, or is it to come?");

    let order = shop.confirmed_order(json!([{ "sku": "COURSE", "quantity": "2" }])).await;
    let part = json!({ "orders": [{ "order": order,
        "items": [{ "line": 1, "quantity": "1" }] }] });
    let prepared = created(instance.post("admin", "/v1/shipments/prepare", &part).await);
    let prepared = format!("/v1/shipments/{prepared}/dispatch");
    let lines = json!([{ "sku": "RICE", "quantity": "1", "unit_price": "1.00" }]);
    let note = |name: &str, day: &str| json!({ "company": grocer, "currency": "PLN", "lines": lines, name: day });
    let bodies = |day: &str| {
        let mut paid = payment(grocer, "1.00");
        paid["booked_on"] = json!(day);
        [
            (CREDIT_NOTES, note("issued_on", day), "/issued_on"),
            (CREDIT_NOTES, note("sold_on", day), "/sold_on"),
            ("/v1/orders", note("placed_on", day), "/placed_on"),
            ("/v1/payments", paid, "/booked_on"),
            (
                "/v1/shipments",
                json!({ "order": order, "dispatched_on": day,
                    "items": [{ "line": 1, "quantity": "1" }] }),
                "/dispatched_on",
            ),
            (&prepared, json!({ "dispatched_on": day }), "/dispatched_on"),
        ]
    };
    let today = today();
    let in_three_days = today.saturating_add(jiff::ToSpan::days(3)).to_string();
    let returned = |step: &str| format!("/v1/returns/{order}/{step}");
    let of_returns = |day: &str| {
        let lines = json!([{ "invoice_line": 1, "quantity": "1", "reason": "damaged" }]);
        let received = json!([{ "line": 1, "quantity": "1" }]);
        [
            (
                "/v1/returns".to_owned(),
                json!({ "invoice": order, "kind": "return", "lines": lines, "requested_on": day }),
                "/requested_on",
            ),
            (returned("credit"), json!({ "issued_on": day }), "/issued_on"),
            (returned("receive"), json!({ "lines": received, "received_on": day }), "/received_on"),
            (returned("send"), json!({ "transport": "own", "sent_on": day }), "/sent_on"),
        ]
    };
    for day in ["2999-12-31", &in_three_days] {
        let others = bodies(day).map(|(path, body, pointer)| (path.to_owned(), body, pointer));
        for (path, body, pointer) in others.into_iter().chain(of_returns(day)) {
            let answer = instance.post("admin", &path, &body).await;
            refused(&answer, 422, "day.in_future");
            assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{answer:?}");
        }
    }
    for (path, body, pointer) in bodies("2010-12-01") {
        let answer = instance.post("admin", path, &body).await;
        if pointer == "/dispatched_on" {
            refused(&answer, 409, "order.shipped_before_placed");
        } else {
            created(answer);
        }
    }
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
