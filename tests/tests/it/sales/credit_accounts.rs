//! Credit limits: who orders beyond one waits, and nothing is reserved or owed that is not there.

use futures::future::join_all;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::journeys::{Shop, created, done, refused, register};

fn pln(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "PLN" })
}

/// So many courses at 150.00 without VAT.
fn courses(quantity: u32) -> Value {
    json!({ "currency": "PLN", "lines": [{ "sku": "COURSE", "quantity": quantity.to_string() }] })
}

impl Shop {
    async fn agree(&self, company: &str, what: &str, body: Value) {
        let path = format!("/v1/companies/{company}/{what}");
        done(self.instance.post("admin", &path, &body).await);
    }

    async fn limit(&self, company: &str, amount: &str) {
        self.agree(company, "credit-limit", json!({ "limit": pln(amount) })).await;
    }

    async fn order_as(&self, who: &str, body: Value) -> String {
        created(self.instance.post(who, "/v1/orders", &body).await)
    }

    async fn act_on(&self, order: &str, what: &str, body: Value) -> crate::instance::Answer {
        let path = format!("/v1/orders/{order}/{what}");
        self.instance.post("admin", &path, &body).await
    }

    async fn books(&self, company: &str, amount: &str) {
        let payment = json!({ "company": company, "method": "transfer", "amount": pln(amount) });
        created(self.instance.post("accounting", "/v1/payments", &payment).await);
    }

    /// Why an order is on hold, once everything has caught up.
    async fn hold(&self, order: &str) -> Value {
        self.instance.settled().await;
        let shown = self.instance.get("admin", &format!("/v1/orders/{order}")).await;
        assert_eq!(shown.status, 200, "{shown:?}");
        shown.body["credit_hold"].clone()
    }

    /// The account of a company in PLN, once everything has caught up.
    async fn credit(&self, who: &str, company: &str) -> Value {
        self.instance.settled().await;
        let shown = self.instance.get(who, &format!("/v1/companies/{company}/credit")).await;
        assert_eq!(shown.status, 200, "{shown:?}");
        let accounts = shown.body["accounts"].as_array().unwrap().clone();
        accounts.into_iter().find(|one| one["currency"] == "PLN").unwrap_or_default()
    }

    /// `exposure`, `reserved`, `on_hold`, `delivered`, open, unallocated.
    async fn sums(&self, company: &str) -> [String; 6] {
        let credit = self.credit("accounting", company).await;
        ["exposure", "reserved", "on_hold", "delivered", "open", "unallocated"]
            .map(|name| credit[name]["amount"].as_str().unwrap_or("none").to_owned())
    }
}

#[tokio::test]
async fn an_order_over_the_limit_waits_until_there_is_room() {
    let shop = Shop::open().await;
    let Shop { instance, grocer, .. } = &shop;
    shop.limit(grocer, "500.00").await;
    let first = shop.order_as("grocer", courses(2)).await;
    let second = shop.order_as("grocer", courses(2)).await;
    let third = shop.order_as("grocer", courses(3)).await;
    let small = shop.order_as("grocer", courses(1)).await;
    assert_eq!(shop.hold(&first).await, Value::Null);
    assert_eq!(shop.hold(&second).await, json!(["over_limit"]));
    assert_eq!(shop.hold(&small).await, Value::Null, "what fits passes");
    refused(&shop.act_on(&second, "confirm", json!({})).await, 409, "order.on_credit_hold");
    assert_eq!(shop.sums(grocer).await, ["450.00", "450.00", "750.00", "0.00", "0.00", "0.00"]);
    let held = instance.all("accounting", "/v1/orders?on_credit_hold=true").await;
    let ids: Vec<&Value> = held.iter().map(|order| &order["id"]).collect();
    assert_eq!(ids, [&json!(third), &json!(second)]);
    assert_eq!(instance.all("grocer", "/v1/orders?on_credit_hold=false").await.len(), 2);

    // A company sees its own limit, and nothing of others.
    let own = shop.credit("grocer", grocer).await;
    assert_eq!((&own["limit"], &own["left"]), (&pln("500.00"), &pln("50.00")));
    assert_eq!((&own["holder"], &own["exposure"]), (&Value::Null, &Value::Null));
    let holds: Vec<&Value> =
        own["holds"].as_array().unwrap().iter().map(|hold| &hold["order"]).collect();
    assert_eq!(holds, [&json!(second), &json!(third)], "oldest first");
    let foreign = instance.get("hotel", &format!("/v1/companies/{grocer}/credit")).await;
    refused(&foreign, 404, "not_found");
    let missing = "/v1/companies/00000000-0000-7000-8000-000000000000/credit";
    refused(&instance.get("accounting", missing).await, 404, "not_found");

    // 250 make room for the 300 of the older one, not for the 450 of the other.
    shop.books(grocer, "250.00").await;
    assert_eq!(shop.hold(&second).await, Value::Null);
    assert_eq!(shop.hold(&third).await, json!(["over_limit"]));
    done(shop.act_on(&second, "confirm", json!({})).await);
    assert_eq!(shop.sums(grocer).await, ["500.00", "750.00", "450.00", "0.00", "0.00", "250.00"]);

    // A cancelled order makes room too; a refused one goes.
    let fourth = shop.order_as("grocer", courses(1)).await;
    done(shop.act_on(&small, "cancel", json!({})).await);
    assert_eq!(shop.hold(&fourth).await, Value::Null);
    assert_eq!(shop.sums(grocer).await, ["500.00", "750.00", "450.00", "0.00", "0.00", "250.00"]);
    let why = json!({ "reason": "Zaległości" });
    refused(
        &shop.act_on(&first, "refuse-credit-hold", why.clone()).await,
        409,
        "order.not_on_credit_hold",
    );
    done(shop.act_on(&third, "refuse-credit-hold", why.clone()).await);
    done(shop.act_on(&third, "refuse-credit-hold", why.clone()).await);
    assert_eq!(shop.hold(&third).await, Value::Null);
    let shown = instance.get("grocer", &format!("/v1/orders/{third}")).await.body;
    assert_eq!((&shown["status"], &shown["reason"]), (&json!("cancelled"), &json!("Zaległości")));

    // Accounting releases whatever the limit; the company does not learn why.
    let fifth = shop.order_as("grocer", courses(9)).await;
    refused(
        &instance.post("sales", &format!("/v1/orders/{fifth}/release-credit-hold"), &why).await,
        403,
        "role_not_allowed",
    );
    done(shop.act_on(&fifth, "release-credit-hold", why.clone()).await);
    done(shop.act_on(&fifth, "release-credit-hold", why).await);
    done(shop.act_on(&fifth, "confirm", json!({})).await);
    assert_eq!(shop.sums(grocer).await, ["1850.00", "2100.00", "0.00", "0.00", "0.00", "250.00"]);

    // A lower limit takes nothing back; a higher one releases.
    let sixth = shop.order_as("grocer", courses(1)).await;
    assert_eq!(shop.hold(&sixth).await, json!(["over_limit"]));
    shop.limit(grocer, "2000.00").await;
    assert_eq!(shop.hold(&sixth).await, Value::Null);
}

#[tokio::test]
async fn partly_shipped_invoiced_and_paid_nothing_is_left() {
    let shop = Shop::open().await;
    let Shop { instance, grocer, .. } = &shop;
    // 7 × 10.00 at 23 % and 3 × 2.00 at 5 %: 86.10 + 6.30.
    let order = shop
        .confirmed_order(json!([
            { "sku": "COFFEE", "quantity": "7" }, { "sku": "RICE", "quantity": "3" },
        ]))
        .await;
    assert_eq!(shop.sums(grocer).await, ["92.40", "92.40", "0.00", "0.00", "0.00", "0.00"]);
    let part = |line: u32, quantity: &str| json!({ "order": order, "items": [{ "line": line, "quantity": quantity }] });
    shop.dispatch(part(1, "3")).await;
    assert_eq!(shop.sums(grocer).await, ["92.40", "55.50", "0.00", "0.00", "36.90", "0.00"]);
    shop.books(grocer, "40.00").await;
    assert_eq!(shop.sums(grocer).await, ["52.40", "55.50", "0.00", "0.00", "0.00", "3.10"]);
    let invoice = shop.dispatch(part(2, "3")).await;
    assert_eq!(shop.sums(grocer).await, ["52.40", "49.20", "0.00", "0.00", "3.20", "0.00"]);
    // The rest is cancelled; a credit note gives something back.
    done(shop.act_on(&order, "cancel", json!({})).await);
    assert_eq!(shop.sums(grocer).await, ["3.20", "0.00", "0.00", "0.00", "3.20", "0.00"]);
    let credit = json!({ "company": grocer, "corrects": invoice["id"], "currency": "PLN",
        "lines": [{ "line": 2, "quantity": "1" }] });
    let credited = instance.post("accounting", "/v1/credit-notes", &credit).await;
    if credited.status != 201 {
        let credit = json!({ "company": grocer, "corrects": invoice["id"], "currency": "PLN",
            "lines": [{ "line": 1, "quantity": "1" }] });
        created(instance.post("accounting", "/v1/credit-notes", &credit).await);
    }
    assert_eq!(shop.sums(grocer).await, ["1.10", "0.00", "0.00", "0.00", "1.10", "0.00"]);
    shop.books(grocer, "1.10").await;
    assert_eq!(shop.sums(grocer).await, ["0.00", "0.00", "0.00", "0.00", "0.00", "0.00"]);
}

#[tokio::test]
async fn overdue_invoices_hold_orders_up() {
    let shop = Shop::open().await;
    let Shop { instance, grocer, .. } = &shop;
    let order = shop.confirmed_order(json!([{ "sku": "COURSE", "quantity": "1" }])).await;
    shop.dispatch(json!({ "order": order, "dispatched_on": "2026-03-20" })).await;
    instance.settled().await;
    let passes = shop.order_as("grocer", courses(1)).await;
    assert_eq!(shop.hold(&passes).await, Value::Null, "nothing is agreed");
    shop.agree(grocer, "credit-grace", json!({ "days": 14 })).await;
    let answer = instance
        .post("admin", &format!("/v1/companies/{grocer}/credit-grace"), &json!({ "days": 366 }))
        .await;
    assert_eq!(answer.status, 422, "{answer:?}");
    let held = shop.order_as("grocer", courses(1)).await;
    assert_eq!(shop.hold(&held).await, json!(["overdue"]));
    shop.books(grocer, "149.99").await;
    assert_eq!(shop.hold(&held).await, json!(["overdue"]));
    shop.books(grocer, "0.01").await;
    assert_eq!(shop.hold(&held).await, Value::Null);
    done(shop.act_on(&held, "confirm", json!({})).await);
    shop.agree(grocer, "credit-grace/lift", json!({})).await;
}

#[tokio::test]
async fn siblings_cannot_pass_their_limit_together() {
    let mut shop = Shop::open().await;
    let mut branches = Vec::new();
    for (name, nip) in [("Gdynia", "9999999999"), ("Sopot", "8888888888")] {
        let branch = register(&shop.instance, name, nip, 7).await;
        shop.instance.make_key(name, "purchaser", Some(&branch)).await;
        shop.agree(&branch, "parent", json!({ "parent": shop.grocer })).await;
        branches.push((name, branch));
    }
    let (instance, grocer) = (&shop.instance, &shop.grocer);
    shop.limit(grocer, "1500.00").await;
    // 64 orders of 150.00 at once: ten pass.
    let (order, branches) = (courses(1), &branches);
    let answers = join_all((0..64).map(|number: usize| {
        let order = &order;
        async move {
            let (who, _) = &branches[number % 2];
            let key = format!("order {number}");
            loop {
                let answer = instance.post_with_key(who, "/v1/orders", &key, order).await;
                if answer.body["code"] != "conflict" {
                    return created(answer);
                }
            }
        }
    }));
    let orders = answers.await;
    instance.settled().await;
    let held = instance.all("accounting", "/v1/orders?on_credit_hold=true").await;
    assert_eq!((orders.len(), held.len()), (64, 54));
    let head = shop.credit("accounting", grocer).await;
    assert_eq!((&head["exposure"], &head["left"]), (&pln("1500.00"), &pln("0.00")));
    assert_eq!(head["holds"].as_array().unwrap().len(), 54);
    let branch = shop.credit("Sopot", &branches[1].1).await;
    assert_eq!((&branch["limit"], &branch["left"]), (&pln("1500.00"), &pln("0.00")));
    let own = branch["holds"].as_array().unwrap();
    assert!(own.iter().all(|hold| hold["company"] == json!(branches[1].1)), "{own:?}");

    // A branch with a limit of its own takes what it has along, and comes back with it.
    shop.limit(&branches[0].1, "150.00").await;
    let [gdynia, rest] = [shop.sums(&branches[0].1).await, shop.sums(grocer).await];
    let amount = |text: &str| text.parse::<Decimal>().unwrap();
    let limit = Decimal::from(1500);
    assert!(amount(&gdynia[0]) <= limit && amount(&rest[0]) <= limit, "{gdynia:?} {rest:?}");
    let path = "credit-limit/lift";
    shop.agree(&branches[0].1, path, json!({ "currency": "PLN" })).await;
    let all = shop.sums(grocer).await;
    assert_eq!(amount(&all[0]), amount(&gdynia[0]) + amount(&rest[0]));
    // Away from the company it has no limit.
    shop.agree(&branches[1].1, "parent", json!({ "parent": null })).await;
    let sopot = shop.credit("accounting", &branches[1].1).await;
    assert_eq!((&sopot["limit"], &sopot["holder"]), (&Value::Null, &json!(branches[1].1)));
    assert_eq!(sopot["holds"], json!([]), "nothing holds them up");
    for order in &orders {
        done(shop.act_on(order, "cancel", json!({})).await);
    }
    for company in [grocer, &branches[0].1, &branches[1].1] {
        assert_eq!(shop.sums(company).await, ["0.00"; 6], "{company}");
    }
}

#[tokio::test]
async fn goods_of_a_prepaid_order_leave_when_it_is_paid() {
    let shop = Shop::open().await;
    let Shop { instance, grocer, .. } = &shop;
    shop.agree(grocer, "prepayment", json!({})).await;
    let order = shop.confirmed_order(json!([{ "sku": "COURSE", "quantity": "2" }])).await;
    let part = json!({ "order": order, "items": [{ "line": 1, "quantity": "1" }] });
    let early = instance.post("warehouse", "/v1/shipments", &part).await;
    refused(&early, 409, "order.awaits_payment");
    shop.books(grocer, "299.99").await;
    instance.settled().await;
    let early = instance.post("warehouse", "/v1/shipments", &part).await;
    refused(&early, 409, "order.awaits_payment");
    shop.books(grocer, "0.01").await;
    instance.settled().await;
    shop.dispatch(part.clone()).await;
    instance.settled().await;
    created(instance.post("warehouse", "/v1/shipments", &part).await);
    assert_eq!(shop.sums(grocer).await, ["0.00"; 6]);
    shop.agree(grocer, "prepayment/waive", json!({})).await;
    let order = shop.confirmed_order(json!([{ "sku": "COURSE", "quantity": "1" }])).await;
    shop.dispatch(json!({ "order": order })).await;
}

#[tokio::test]
async fn what_a_client_has_not_seen_is_not_placed() {
    let shop = Shop::open().await;
    let Shop { instance, grocer, .. } = &shop;
    let with = |fields: Value| {
        let mut order = courses(1);
        order.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        order
    };
    let other = with(json!({ "expected_total": pln("149.00"), "reference": "ZAM/1" }));
    let answer = instance.post("grocer", "/v1/orders", &other).await;
    refused(&answer, 409, "order.total_changed");
    assert!(answer.body["detail"].as_str().unwrap().contains("150.00 PLN"), "{answer:?}");
    let euros = json!({ "amount": "150.00", "currency": "EUR" });
    let answer =
        instance.post("grocer", "/v1/orders", &with(json!({ "expected_total": euros }))).await;
    refused(&answer, 409, "order.total_changed");
    let seen = with(json!({ "expected_total": pln("150.00"), "reference": "ZAM/1",
        "wished_on": "2099-12-31", "note": "Rampa 2" }));
    let first = instance.post_with_key("grocer", "/v1/orders", "k1", &seen).await;
    assert_eq!(instance.post_with_key("grocer", "/v1/orders", "k1", &seen).await, first);
    let first = created(first);
    instance.settled().await;
    let shown = instance.get("grocer", &format!("/v1/orders/{first}")).await.body;
    assert_eq!((&shown["wished_on"], &shown["note"]), (&json!("2099-12-31"), &json!("Rampa 2")));

    // The same number again is asked about, for this company only.
    let again = with(json!({ "reference": "ZAM/1" }));
    let answer = instance.post("grocer", "/v1/orders", &again).await;
    refused(&answer, 409, "order.reference_repeated");
    assert!(answer.body["detail"].as_str().unwrap().contains(&first), "{answer:?}");
    assert_eq!(answer.body["errors"][0]["pointer"], "/reference");
    let hotels = instance.post("hotel", "/v1/orders", &again).await;
    created(hotels);
    let sure = with(json!({ "reference": "ZAM/1", "confirm_repeated_reference": true }));
    let second = shop.order_as("grocer", sure).await;
    let answer = instance.post("grocer", "/v1/orders", &again).await;
    refused(&answer, 409, "order.reference_repeated");
    done(shop.act_on(&second, "cancel", json!({})).await);
    shop.order_as("grocer", again.clone()).await;
    // Of many at once one is placed.
    let new = with(json!({ "reference": "ZAM/2" }));
    let answers = join_all((0..16).map(|_| instance.post("grocer", "/v1/orders", &new))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{answers:?}");

    shop.agree(grocer, "minimum-order", json!({ "minimum": pln("150.01") })).await;
    refused(&instance.post("grocer", "/v1/orders", &courses(1)).await, 409, "order.below_minimum");
    shop.agree(grocer, "minimum-order/lift", json!({ "currency": "PLN" })).await;
    shop.order_as("grocer", courses(1)).await;
}
