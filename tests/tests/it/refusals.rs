//! What is wrong is said: status, stable code, and the field to blame. Nothing is half done.

use serde_json::{Value, json};

use crate::{
    instance::Instance,
    journeys::{Shop, created, done},
};

/// A JSON body, or the bytes of what is none.
enum Sent {
    Json(Value),
    Text(String),
}

/// A wrong request and its answer: role, path, body, status, code, pointer.
type Case = (&'static str, String, Sent, u16, &'static str, Option<&'static str>);

#[tokio::test]
async fn every_wrong_request_gets_a_clear_answer() {
    let shop = Shop::open().await;
    let before = shop.instance.settled().await;
    for case in rubbish(&shop) {
        check(&shop.instance, case).await;
    }
    let drafted = created(
        shop.instance
            .post(
                "admin",
                "/v1/products",
                &json!({ "sku": "DRAFT", "name": "x", "unit": "piece", "vat_rate": "8" }),
            )
            .await,
    );
    let offer = shop.sent_offer().await;
    done(shop.instance.post("grocer", &format!("/v1/offers/{offer}/reject"), &json!({})).await);
    let placed = json!({ "currency": "PLN", "lines": [{ "sku": "RICE", "quantity": "1" }] });
    let order = created(shop.instance.post("grocer", "/v1/orders", &placed).await);
    let confirmed = shop.confirmed_order(json!([{ "sku": "COFFEE", "quantity": "2" }])).await;
    let between = shop.instance.settled().await;
    // A product and its SKU; an offer drafted, sent and rejected; two orders, of which one is
    // confirmed, and a credit account that is opened and reserves for both.
    let (products, offers, orders) = (2, 3, 1 + 2 + 3);
    assert_eq!(between, before + products + offers + orders, "rubbish leaves no trace");
    for case in wrong_states(&shop, &drafted, &offer, &order, &confirmed) {
        check(&shop.instance, case).await;
    }
    assert_eq!(shop.instance.settled().await, between, "refusals leave no trace");
    assert_eq!(shop.instance.get("admin", "/health/ready").await.status, 200);
}

async fn check(instance: &Instance, (role, path, body, status, code, pointer): Case) {
    let (text, shown) = match body {
        Sent::Json(body) => (body.to_string(), body.to_string()),
        Sent::Text(text) => (text.clone(), text),
    };
    let shown: String = shown.chars().take(200).collect();
    let answer = instance.send(role, &path, "application/json", text).await;
    let found = (answer.status, answer.body["code"].as_str());
    assert_eq!(found, (status, Some(code)), "{path} {shown}: {answer:?}");
    assert_eq!(answer.body["status"], status);
    if let Some(pointer) = pointer {
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{path} {shown}: {answer:?}");
    }
}

fn case(
    role: &'static str,
    path: &str,
    body: Value,
    status: u16,
    code: &'static str,
    pointer: Option<&'static str>,
) -> Case {
    (role, path.to_owned(), Sent::Json(body), status, code, pointer)
}

fn text(path: &str, text: impl Into<String>, status: u16, code: &'static str) -> Case {
    ("admin", path.to_owned(), Sent::Text(text.into()), status, code, None)
}

fn company(change: impl FnOnce(&mut Value)) -> Value {
    let mut company = json!({
        "name": "Piekarnia", "tax_id": { "kind": "nip", "number": "9999999999" },
        "payment_term": { "kind": "net", "days": 7 },
    });
    change(&mut company);
    company
}

#[allow(clippy::needless_pass_by_value, reason = "tests read as data")]
fn order(line: Value) -> Value {
    json!({ "currency": "PLN", "lines": [line] })
}

#[allow(clippy::too_many_lines, reason = "a table")]
fn rubbish(shop: &Shop) -> Vec<Case> {
    let (companies, orders, payments) = ("/v1/companies", "/v1/orders", "/v1/payments");
    let invalid = "body.invalid";
    let pay = |amount: &str| {
        json!({ "company": shop.grocer, "method": "blik",
            "amount": { "amount": amount, "currency": "PLN" } })
    };
    let line = |quantity: &str| json!({ "sku": "RICE", "quantity": quantity });
    let nobody = "00000000-0000-7000-8000-000000000000";
    vec![
        // Fields.
        case("sales", companies, company(|c| c["nmae"] = json!("x")), 422, invalid, None),
        case("sales", companies, company(|c| c["name"] = json!("  ")), 422, invalid, Some("/name")),
        case(
            "sales",
            companies,
            company(|c| c["name"] = json!("a\u{0}b")),
            422,
            invalid,
            Some("/name"),
        ),
        case(
            "sales",
            companies,
            company(|c| c["name"] = json!("x".repeat(201))),
            422,
            invalid,
            Some("/name"),
        ),
        case(
            "sales",
            companies,
            company(|c| c["tax_id"]["number"] = json!("1234567890")),
            422,
            invalid,
            Some("/tax_id"),
        ),
        case(
            "sales",
            companies,
            company(|c| {
                c["tax_id"] = json!({ "kind": "foreign", "country": "PL", "number": "1234567890" });
            }),
            422,
            "company.needs_nip",
            None,
        ),
        case(
            "sales",
            companies,
            company(|c| c["payment_term"]["days"] = json!(366)),
            422,
            invalid,
            Some("/payment_term"),
        ),
        case(
            "sales",
            companies,
            company(|c| c["tax_id"]["number"] = json!("5260250274")),
            409,
            "claim.held",
            None,
        ),
        case(
            "admin",
            "/v1/products",
            json!({ "sku": "RICE", "name": "x", "unit": "piece", "vat_rate": "5" }),
            409,
            "claim.held",
            None,
        ),
        case(
            "admin",
            "/v1/products",
            json!({ "sku": "X", "name": "x", "unit": "piece", "vat_rate": "7" }),
            422,
            invalid,
            Some("/vat_rate"),
        ),
        case(
            "admin",
            "/v1/products",
            json!({ "sku": "X", "name": "x", "unit": "piece", "vat_rate": "5", "gtin": "5901234123458" }),
            422,
            invalid,
            Some("/gtin"),
        ),
        // Numbers.
        case("grocer", orders, order(line("-1")), 422, invalid, Some("/lines/0/quantity")),
        case("grocer", orders, order(line("0")), 422, invalid, Some("/lines/0/quantity")),
        case("grocer", orders, order(line("0.0001")), 422, invalid, Some("/lines/0/quantity")),
        case("grocer", orders, order(line("1e3")), 422, invalid, Some("/lines/0/quantity")),
        case(
            "grocer",
            orders,
            order(json!({ "sku": "RICE", "quantity": 1 })),
            422,
            invalid,
            Some("/lines/0/quantity"),
        ),
        case(
            "grocer",
            orders,
            order(line(&"9".repeat(10_000))),
            422,
            invalid,
            Some("/lines/0/quantity"),
        ),
        case("grocer", orders, order(line(&"9".repeat(1_000_000))), 400, "body.too_much", None),
        case(
            "grocer",
            orders,
            order(line("0.5")),
            422,
            "product.indivisible",
            Some("/lines/0/quantity"),
        ),
        case("accounting", payments, pay("1.001"), 422, invalid, Some("/amount")),
        case("accounting", payments, pay("0.00"), 422, "payment.amount_not_positive", None),
        case("accounting", payments, pay("-5.00"), 422, "payment.amount_not_positive", None),
        case(
            "accounting",
            payments,
            json!({ "company": shop.grocer, "method": "blik", "amount": { "amount": "1.00", "currency": "XXX" } }),
            422,
            invalid,
            Some("/amount/currency"),
        ),
        // Lines.
        case(
            "grocer",
            orders,
            json!({ "currency": "PLN", "lines": [] }),
            422,
            "lines.count_invalid",
            Some("/lines"),
        ),
        case(
            "grocer",
            orders,
            json!({ "currency": "PLN", "lines": vec![line("1"); 2_001] }),
            422,
            "lines.count_invalid",
            Some("/lines"),
        ),
        case(
            "grocer",
            orders,
            order(json!({ "sku": "NOTHING", "quantity": "1" })),
            422,
            "lines.invalid",
            Some("/lines/0/sku"),
        ),
        case(
            "grocer",
            orders,
            json!({ "currency": "EUR", "lines": [line("1")] }),
            409,
            "product.no_price_in_currency",
            Some("/lines/0/sku"),
        ),
        case(
            "grocer",
            orders,
            order(json!({ "sku": "RICE", "quantity": "1", "unit_price": "0.01" })),
            422,
            "lines.invalid",
            Some("/lines/0/unit_price"),
        ),
        case(
            "grocer",
            orders,
            json!({ "currency": "PLN", "lines": [line("1")], "placed_on": "2020-01-01" }),
            422,
            "order.seller_only",
            Some("/placed_on"),
        ),
        case("sales", orders, order(line("1")), 422, "order.company_missing", Some("/company")),
        case(
            "sales",
            orders,
            json!({ "company": nobody, "currency": "PLN", "lines": [line("1")] }),
            404,
            "company.unregistered",
            None,
        ),
        // What is no JSON, or too much of it.
        text(companies, "", 400, "body.malformed"),
        text(companies, "{", 400, "body.malformed"),
        text(companies, "\u{feff}{}", 400, "body.malformed"),
        text(companies, "[".repeat(100_000), 400, "body.too_much"),
        text(companies, format!("{{\"name\":{}}}", "1".repeat(1_000_000)), 400, "body.too_much"),
        text(companies, " ".repeat(3 << 20), 413, "body.too_large"),
        text(companies, "null", 422, invalid),
        text(companies, "{}{}", 400, "body.malformed"),
        // Roles and things that are not there.
        case("warehouse", payments, json!({}), 403, "role_not_allowed", None),
        case("grocer", companies, company(|_| ()), 403, "role_not_allowed", None),
        case("auditor", orders, order(line("1")), 403, "role_not_allowed", None),
        case(
            "sales",
            &format!("/v1/offers/{nobody}/send"),
            json!({}),
            404,
            "offer.undrafted",
            None,
        ),
        case("sales", "/v1/offers/not-an-id/send", json!({}), 404, "not_found", None),
        case("sales", "/v1/nothing", json!({}), 404, "not_found", None),
    ]
}

fn wrong_states(
    shop: &Shop,
    drafted: &str,
    rejected: &str,
    placed: &str,
    confirmed: &str,
) -> Vec<Case> {
    let hotel_order = json!({ "company": shop.hotel, "currency": "PLN",
        "lines": [{ "sku": "RICE", "quantity": "1" }] });
    vec![
        case(
            "admin",
            &format!("/v1/products/{drafted}/publish"),
            json!({}),
            409,
            "product.no_price",
            None,
        ),
        case(
            "grocer",
            "/v1/orders",
            order(json!({ "sku": "DRAFT", "quantity": "1" })),
            422,
            "lines.invalid",
            Some("/lines/0/sku"),
        ),
        case(
            "grocer",
            &format!("/v1/offers/{rejected}/accept"),
            json!({ "revision": 1, "digest": "00".repeat(32) }),
            409,
            "offer.closed",
            None,
        ),
        case(
            "sales",
            &format!("/v1/offers/{rejected}/withdraw"),
            json!({}),
            409,
            "offer.closed",
            None,
        ),
        case(
            "warehouse",
            "/v1/shipments",
            json!({ "order": placed }),
            409,
            "order.not_confirmed",
            None,
        ),
        case(
            "warehouse",
            "/v1/shipments",
            json!({ "order": confirmed, "items": [{ "line": 1, "quantity": "0.5" }] }),
            422,
            "product.indivisible",
            Some("/items/0/quantity"),
        ),
        case(
            "warehouse",
            "/v1/shipments",
            json!({ "order": confirmed, "items": [
                { "line": 1, "quantity": "1" }, { "line": 1, "quantity": "1" }
            ] }),
            422,
            "order.line_named_twice",
            Some("/items/1/line"),
        ),
        case(
            "warehouse",
            "/v1/shipments",
            json!({ "order": confirmed, "items": [{ "line": 9, "quantity": "1" }] }),
            409,
            "order.nothing_outstanding",
            Some("/items/0/line"),
        ),
        // Another company's things are like missing ones.
        case(
            "hotel",
            &format!("/v1/offers/{rejected}/accept"),
            json!({ "revision": 1, "digest": "00".repeat(32) }),
            404,
            "not_found",
            None,
        ),
        case("hotel", &format!("/v1/orders/{placed}/cancel"), json!({}), 404, "not_found", None),
        case("grocer", "/v1/orders", hotel_order, 404, "not_found", None),
    ]
}

#[tokio::test]
async fn wrong_questions_get_a_clear_answer() {
    let shop = Shop::open().await;
    for (path, status, code) in [
        ("/v1/orders?limit=0", 400, "page.limit_invalid"),
        ("/v1/orders?limit=201", 400, "page.limit_invalid"),
        ("/v1/orders?limit=x", 400, "query.invalid"),
        ("/v1/orders?cursor=%25%25", 400, "page.cursor_invalid"),
        ("/v1/orders?colour=red", 400, "query.invalid"),
        ("/v1/orders?wait_for=-1", 400, "position.invalid"),
        ("/v1/orders?wait_for=999999999", 400, "position.invalid"),
        ("/v1/orders/00000000-0000-7000-8000-000000000000", 404, "not_found"),
        ("/v1/orders/x", 404, "not_found"),
        ("/v1/companies/x/payment-term", 405, "method_not_allowed"),
        ("/nowhere", 404, "not_found"),
    ] {
        let answer = shop.instance.get("admin", path).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{path}");
    }
    let html = shop.instance.send("admin", "/v1/companies", "text/html", "{}".to_owned()).await;
    assert_eq!((html.status, html.body["code"].as_str()), (415, Some("body.not_json")));
}
