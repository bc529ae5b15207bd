//! Whole trades over HTTP, step by step.

use jiff::{ToSpan, Zoned, civil::Date};
use serde_json::{Value, json};

use crate::instance::{Answer, Instance, eventually};

/// The seller's day, which begins at midnight in Warsaw.
pub(crate) fn today() -> Date {
    Zoned::now().in_tz("Europe/Warsaw").unwrap().date()
}

/// An instance with three products for sale and two customers with a purchaser each.
pub(crate) struct Shop {
    pub(crate) instance: Instance,
    pub(crate) grocer: String,
    pub(crate) hotel: String,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let mut instance = Instance::start().await;
        for (sku, vat_rate, price) in
            [("COFFEE", "23", "10.00"), ("RICE", "5", "2.00"), ("COURSE", "zw", "150.00")]
        {
            let product = created(
                instance
                    .post(
                        "admin",
                        "/v1/products",
                        &json!({
                            "sku": sku, "name": sku, "unit": "piece", "vat_rate": vat_rate,
                            "prices": [{ "currency": "PLN", "price": price }],
                        }),
                    )
                    .await,
            );
            done(
                instance
                    .post("admin", &format!("/v1/products/{product}/publish"), &json!({}))
                    .await,
            );
        }
        let grocer = register(&instance, "Delikatesy", "5260250274", 14).await;
        let hotel = register(&instance, "Hotel", "1111111111", 30).await;
        instance.make_key("grocer", "purchaser", Some(&grocer)).await;
        instance.make_key("hotel", "purchaser", Some(&hotel)).await;
        Self { instance, grocer, hotel }
    }

    /// An offer of ten coffees at 9.00 that the grocer can answer.
    pub(crate) async fn sent_offer(&self) -> String {
        let offer = json!({
            "company": self.grocer, "currency": "PLN", "valid_until": "2099-12-31",
            "lines": [{ "sku": "COFFEE", "quantity": "10", "unit_price": "9.00" }],
        });
        let offer = created(self.instance.post("sales", "/v1/offers", &offer).await);
        done(self.instance.post("sales", &format!("/v1/offers/{offer}/send"), &json!({})).await);
        offer
    }

    /// A confirmed order of the grocer, placed on 1 March 2026, so that goods can leave on any day after.
    pub(crate) async fn confirmed_order(&self, lines: Value) -> String {
        let order = json!({ "company": self.grocer, "currency": "PLN", "lines": lines,
            "placed_on": "2026-03-01" });
        let order = created(self.instance.post("sales", "/v1/orders", &order).await);
        done(self.instance.post("sales", &format!("/v1/orders/{order}/confirm"), &json!({})).await);
        order
    }

    /// Lets goods leave and waits for their invoice.
    pub(crate) async fn dispatch(&self, shipment: Value) -> Value {
        let answer = self.instance.post("warehouse", "/v1/shipments", &shipment).await;
        let shipment = created(answer);
        eventually("the invoice is issued", async || {
            let invoices = self.instance.get("accounting", "/v1/invoices").await;
            let items = invoices.body["items"].as_array()?.clone();
            items.into_iter().find(|invoice| invoice["shipment"] == json!(shipment))
        })
        .await
    }

    /// What the grocer owes, once every policy and read model has caught up:
    /// balance, open, unallocated.
    pub(crate) async fn owes(&self) -> [String; 3] {
        let head = self.instance.settled().await;
        let path = format!("/v1/account-balances?wait_for={head}");
        let balances = self.instance.get("grocer", &path).await;
        assert_eq!(balances.status, 200, "{balances:?}");
        let balance = &balances.body["items"][0];
        ["balance", "open", "unallocated"]
            .map(|name| balance[name]["amount"].as_str().unwrap_or("none").to_owned())
    }
}

/// What names the revision of an offer that stands, as acceptance must.
pub(crate) async fn stamp(instance: &Instance, offer: &str) -> Value {
    let path = format!("/v1/offers/{offer}");
    eventually("the offer is shown", async || {
        let shown = instance.get("sales", &path).await.body;
        let stamp = json!({ "revision": shown["revision"], "digest": shown["digest"] });
        shown["digest"].is_string().then_some(stamp)
    })
    .await
}

/// Accepts the revision of an offer that stands, whole.
pub(crate) async fn accept(instance: &Instance, role: &str, offer: &str) -> Answer {
    let stamp = stamp(instance, offer).await;
    instance.post(role, &format!("/v1/offers/{offer}/accept"), &stamp).await
}

/// What names the step that waits of a request for approval, as whoever is asked has read it.
pub(crate) async fn asked(instance: &Instance, who: &str, of: &str) -> Value {
    let path = format!("/v1/approvals/{of}");
    eventually("somebody is asked", async || {
        let head = instance.head().await?;
        let approval = instance.get(who, &format!("{path}?wait_for={head}")).await.body;
        let step = approval["decisions"].as_array()?.len() + 1;
        let asked_at = &approval["request"]["at"];
        (approval["status"] == "open").then(|| json!({ "step": step, "asked_at": asked_at }))
    })
    .await
}

pub(crate) async fn register(instance: &Instance, name: &str, nip: &str, days: u16) -> String {
    let company = json!({
        "name": name,
        "tax_id": { "kind": "nip", "number": nip },
        "payment_term": { "kind": "net", "days": days },
    });
    created(instance.post("sales", "/v1/companies", &company).await)
}

#[track_caller]
#[allow(clippy::needless_pass_by_value, reason = "it ends the answer")]
pub(crate) fn created(answer: Answer) -> String {
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.body["id"].as_str().unwrap().to_owned()
}

#[track_caller]
#[allow(clippy::needless_pass_by_value, reason = "it ends the answer")]
pub(crate) fn done(answer: Answer) {
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[track_caller]
pub(crate) fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{answer:?}");
}

#[tokio::test]
async fn from_an_offer_to_the_last_penny() {
    let shop = Shop::open().await;
    let Shop { instance, grocer, .. } = &shop;

    // Offered, accepted by the buyer, and ordered by itself at exactly the offered price.
    let offer = shop.sent_offer().await;
    done(accept(instance, "grocer", &offer).await);
    instance.settled().await;
    let orders = instance.all_whole("grocer", "/v1/orders").await;
    assert_eq!(orders.len(), 1);
    assert_eq!(orders[0]["source"], json!({ "kind": "offer", "offer": offer, "revision": 1 }));
    assert_eq!(orders[0]["lines"][0]["unit_price"], "9.00");
    let order = orders[0]["id"].as_str().unwrap();
    done(instance.post("sales", &format!("/v1/orders/{order}/confirm"), &json!({})).await);

    // Shipped in two parts: two invoices, their numbers one after the other.
    let day: Date = orders[0]["placed_on"].as_str().unwrap().parse().unwrap();
    let part = json!({
        "order": order, "items": [{ "line": 1, "quantity": "4" }], "dispatched_on": day,
    });
    let early = json!({ "order": order, "dispatched_on": day.yesterday().unwrap() });
    refused(
        &instance.post("warehouse", "/v1/shipments", &early).await,
        409,
        "order.shipped_before_placed",
    );
    let first = shop.dispatch(part).await;
    let rest = json!({ "order": order, "dispatched_on": day });
    let second = shop.dispatch(rest).await;
    let series = day.strftime("FV/%Y/%m");
    assert_eq!(
        (&first["number"], &first["due_on"]),
        (&json!(format!("{series}/0001")), &json!(day + 14.days()))
    );
    assert_eq!(second["number"], format!("{series}/0002"));
    // 4 × 9.00 at 23 %: 36.00 + 8.28; 6 × 9.00: 54.00 + 12.42.
    assert_eq!(first["totals"]["gross"]["amount"], "44.28");
    assert_eq!(second["totals"]["vat"]["amount"], "12.42");
    assert_eq!(shop.owes().await, ["110.70", "110.70", "0.00"]);

    // Paid: first the invoice that is named, then more than is open.
    let pay = |amount: &str, names: Value| {
        json!({
            "company": grocer, "method": "transfer", "names_invoice": names,
            "amount": { "amount": amount, "currency": "PLN" },
        })
    };
    let named = pay("60.00", second["number"].clone());
    created(instance.post("accounting", "/v1/payments", &named).await);
    assert_eq!(shop.owes().await, ["50.70", "50.70", "0.00"]);
    let id = second["id"].as_str().unwrap();
    let paid = instance.get("grocer", &format!("/v1/invoices/{id}")).await;
    assert_eq!(paid.body["paid"]["amount"], "60.00");
    created(instance.post("accounting", "/v1/payments", &pay("100.00", Value::Null)).await);
    assert_eq!(shop.owes().await, ["-49.30", "0.00", "49.30"]);
    let paid = instance.get("grocer", &format!("/v1/invoices/{id}")).await;
    assert_eq!(paid.body["status"], "settled");
}

#[tokio::test]
async fn a_credit_note_reduces_what_it_corrects() {
    let shop = Shop::open().await;
    let Shop { instance, grocer, hotel } = &shop;
    let order = shop
        .confirmed_order(json!([
            { "sku": "RICE", "quantity": "10" },
            { "sku": "COURSE", "quantity": "1" },
        ]))
        .await;
    let invoice = shop.dispatch(json!({ "order": order })).await;
    assert_eq!(shop.owes().await, ["171.00", "171.00", "0.00"]);

    let credit = |company: &str, corrects: &Value, quantity: &str| {
        json!({
            "company": company, "corrects": corrects, "currency": "PLN", "reason": "Zwrot",
            "lines": [{ "sku": "RICE", "quantity": quantity, "unit_price": "2.00" }],
        })
    };
    created(
        instance.post("accounting", "/v1/credit-notes", &credit(grocer, &invoice["id"], "4")).await,
    );
    assert_eq!(shop.owes().await, ["162.60", "162.60", "0.00"]);
    // More than is open: the rest stays as the company's credit.
    let paid = json!({ "company": grocer, "method": "transfer",
        "amount": { "amount": "160.00", "currency": "PLN" } });
    created(instance.post("accounting", "/v1/payments", &paid).await);
    assert_eq!(shop.owes().await, ["2.60", "2.60", "0.00"]);
    created(
        instance.post("accounting", "/v1/credit-notes", &credit(grocer, &invoice["id"], "6")).await,
    );
    assert_eq!(shop.owes().await, ["-10.00", "0.00", "10.00"]);
    let foreign =
        instance.post("accounting", "/v1/credit-notes", &credit(hotel, &invoice["id"], "1")).await;
    refused(&foreign, 422, "credit_note.other_company");
    let numbers: Vec<Value> = instance
        .all("accounting", "/v1/invoices")
        .await
        .into_iter()
        .filter(|document| document["kind"] == "credit_note")
        .map(|document| document["number"].clone())
        .collect();
    assert_eq!(numbers.len(), 2);
}

#[tokio::test]
async fn of_many_who_accept_one_wins() {
    let mut shop = Shop::open().await;
    let grocer = shop.grocer.clone();
    shop.instance.make_key("chief", "company_admin", Some(&grocer)).await;
    let instance = &shop.instance;
    let offer = shop.sent_offer().await;
    let accept = format!("/v1/offers/{offer}/accept");
    let body = stamp(instance, &offer).await;
    let answers = futures::future::join_all(
        ["grocer", "chief"]
            .into_iter()
            .cycle()
            .take(16)
            .map(|role| instance.post(role, &accept, &body)),
    )
    .await;
    // A repeat by the winner has already succeeded; the other one gets a conflict.
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((won.len(), lost.len()), (8, 8));
    for answer in lost {
        refused(answer, 409, "offer.already_accepted");
    }
    instance.settled().await;
    assert_eq!(instance.all("grocer", "/v1/orders").await.len(), 1);
}

#[tokio::test]
async fn the_same_key_does_it_once() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let order = |quantity: &str| json!({ "currency": "PLN", "lines": [{ "sku": "RICE", "quantity": quantity }] });
    let (one, other) = (order("1"), order("2"));
    let answers = futures::future::join_all(
        (0..16).map(|_| instance.post_with_key("grocer", "/v1/orders", "k-1", &one)),
    )
    .await;
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    created(answers[0].clone());
    let again = instance.post_with_key("grocer", "/v1/orders", "k-1", &other).await;
    refused(&again, 422, "idempotency_key.reused");
    // Another client's key of the same name is another key.
    created(instance.post_with_key("hotel", "/v1/orders", "k-1", &other).await);
    instance.settled().await;
    assert_eq!(instance.all("grocer", "/v1/orders").await.len(), 1);
}

#[tokio::test]
async fn numbers_have_no_gap_however_many_ask_at_once() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let credit = json!({
        "company": shop.grocer, "currency": "PLN", "issued_on": "2026-03-20",
        "lines": [{ "sku": "RICE", "quantity": "1", "unit_price": "1.00" }],
    });
    let answers = futures::future::join_all(
        (0..24).map(|_| instance.post("accounting", "/v1/credit-notes", &credit)),
    )
    .await;
    for answer in answers {
        created(answer);
    }
    instance.settled().await;
    let mut numbers: Vec<String> = instance
        .all("accounting", "/v1/invoices")
        .await
        .into_iter()
        .map(|document| document["number"].as_str().unwrap().to_owned())
        .collect();
    numbers.sort();
    let expected: Vec<String> = (1..=24).map(|n| format!("FK/2026/03/{n:04}")).collect();
    assert_eq!(numbers, expected);
}
