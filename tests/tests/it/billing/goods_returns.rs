//! Returns and complaints over HTTP: from the request of a company to the credit note, and what neither
//! side may do.

use serde_json::{Value, json};

use crate::{
    instance::{Answer, Instance},
    journeys::{Shop, created, done, refused},
};

const RETURNS: &str = "/v1/returns";
const MISSING: &str = "00000000-0000-7000-8000-000000000000";

/// An invoice of ten rice, four coffee and two and a half kilograms of nuts, of 20 March 2026.
struct Sold {
    shop: Shop,
    invoice: Value,
}

impl Sold {
    async fn to_grocer() -> Self {
        let shop = Shop::open().await;
        let nuts = json!({ "sku": "NUTS", "name": "Orzechy", "unit": "kilogram", "vat_rate": "8",
            "prices": [{ "currency": "PLN", "price": "31.40" }] });
        let nuts = created(shop.instance.post("admin", "/v1/products", &nuts).await);
        let path = format!("/v1/products/{nuts}/publish");
        done(shop.instance.post("admin", &path, &json!({})).await);
        let order = shop
            .confirmed_order(json!([
                { "sku": "RICE", "quantity": "10" },
                { "sku": "COFFEE", "quantity": "4" },
                { "sku": "NUTS", "quantity": "2.5" },
            ]))
            .await;
        let dispatched = json!({ "order": order, "dispatched_on": "2026-03-20" });
        let invoice = shop.dispatch(dispatched).await;
        Self { shop, invoice }
    }

    fn instance(&self) -> &Instance {
        &self.shop.instance
    }

    fn asked(&self, kind: &str, lines: &Value) -> Value {
        json!({ "invoice": self.invoice["id"], "kind": kind, "lines": lines })
    }

    async fn request(&self, who: &str, kind: &str, lines: Value) -> Answer {
        self.instance().post(who, RETURNS, &self.asked(kind, &lines)).await
    }

    async fn act(&self, who: &str, id: &str, what: &str, body: Value) -> Answer {
        self.instance().post(who, &format!("{RETURNS}/{id}/{what}"), &body).await
    }

    async fn show(&self, who: &str, id: &str) -> Value {
        let answer = self.instance().get(who, &format!("{RETURNS}/{id}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// A return of so much of a line of the invoice that came back and is sold again as new.
    async fn restocked(&self, line: u32, quantity: &str) -> String {
        let lines = json!([{ "invoice_line": line, "quantity": quantity, "reason": "quality" }]);
        let id = created(self.request("grocer", "return", lines).await);
        done(self.act("sales", &id, "authorise", json!({})).await);
        let came = json!({ "lines": [{ "line": 1, "quantity": quantity }] });
        done(self.act("warehouse", &id, "receive", came).await);
        let found = json!({ "lines": [{ "line": 1, "restock": quantity }] });
        done(self.act("warehouse", &id, "inspect", found).await);
        id
    }
}

fn pointers(answer: &Answer) -> Vec<&str> {
    let errors = answer.body["errors"].as_array().unwrap();
    errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn goods_come_back_in_part_and_are_credited_in_parts() {
    let sold = Sold::to_grocer().await;
    let instance = sold.instance();
    // 20.00 at 5 %, 40.00 at 23 %, 78.50 at 8 %.
    assert_eq!(sold.shop.owes().await, ["154.98", "154.98", "0.00"]);
    let lines = json!([
        { "invoice_line": 1, "quantity": "6", "reason": "damaged", "note": "Rozdarte",
            "attachments": [{ "name": "zdjecie.jpg", "url": "https://example.pl/zdjecie.jpg" }] },
        { "invoice_line": 3, "quantity": "1.25", "reason": "not_needed" },
    ]);
    let id = created(sold.request("grocer", "return", lines).await);
    let answer = json!({ "lines": [{ "line": 2, "reason": "Otwarte" }], "transport": "label",
        "labels": [{ "name": "etykieta.pdf", "url": "https://example.pl/etykieta.pdf" }] });
    done(sold.act("sales", &id, "authorise", answer.clone()).await);
    // Once more is once.
    done(sold.act("sales", &id, "authorise", answer).await);
    let other = sold.act("sales", &id, "authorise", json!({})).await;
    refused(&other, 409, "goods_return.already_authorised");
    let parcel = json!({ "transport": "label", "courier": "DPD", "tracking": "000123" });
    done(sold.act("grocer", &id, "send", parcel).await);
    assert_eq!(sold.show("grocer", &id).await["status"], "sent");

    let came = |quantity: &str| json!({ "lines": [{ "line": 1, "quantity": quantity }] });
    done(sold.act("warehouse", &id, "receive", came("4")).await);
    done(sold.act("warehouse", &id, "receive", came("2")).await);
    let none_left = sold.act("warehouse", &id, "receive", came("1")).await;
    refused(&none_left, 409, "goods_return.more_than_authorised");
    let early = sold.act("accounting", &id, "credit", json!({})).await;
    refused(&early, 409, "goods_return.nothing_to_credit");
    let short = json!({ "lines": [{ "line": 1, "restock": "5" }] });
    refused(&sold.act("warehouse", &id, "inspect", short).await, 409, "goods_return.sum_differs");
    let found = json!({ "note": "Jedno przecięte nożem",
        "lines": [{ "line": 1, "restock": "2", "second_choice": "1", "scrap": "2", "send_back": "1" }] });
    done(sold.act("warehouse", &id, "inspect", found).await);

    // Two, and then the three others: one goes back.
    let two = json!({ "lines": [{ "line": 1, "quantity": "2" }], "reason": "Zwrot" });
    done(sold.act("accounting", &id, "credit", two).await);
    assert_eq!(sold.shop.owes().await, ["150.78", "150.78", "0.00"]);
    let four = json!({ "lines": [{ "line": 1, "quantity": "4" }] });
    let beyond = sold.act("accounting", &id, "credit", four).await;
    refused(&beyond, 409, "goods_return.more_than_creditable");
    assert_eq!(pointers(&beyond), ["/lines/0/quantity"]);
    done(sold.act("accounting", &id, "credit", json!({})).await);
    assert_eq!(sold.shop.owes().await, ["144.48", "144.48", "0.00"]);
    let ended = sold.act("accounting", &id, "credit", json!({})).await;
    refused(&ended, 409, "goods_return.ended");

    let shown = sold.show("sales", &id).await;
    assert_eq!((&shown["status"], &shown["kind"]), (&json!("settled"), &json!("return")));
    assert_eq!(shown["inspections"][0]["note"], "Jedno przecięte nożem");
    assert_eq!(shown["parcels"][0]["tracking"], "000123");
    let line = &shown["lines"][0];
    for (name, units) in [
        ("quantity", "6"),
        ("received", "6"),
        ("restock", "2"),
        ("second_choice", "1"),
        ("scrap", "2"),
        ("sent_back", "1"),
        ("credited", "5"),
    ] {
        assert_eq!(line[name], units, "{name}: {line}");
    }
    assert_eq!(shown["lines"][1]["answer"], json!({ "line": 2, "reason": "Otwarte" }));
    let notes = shown["credits"].as_array().unwrap();
    assert_eq!(notes.len(), 2);
    let note = notes[0]["credit_note"].as_str().unwrap();
    let note = instance.get("grocer", &format!("/v1/invoices/{note}")).await.body;
    assert_eq!((&note["kind"], &note["corrects"]), (&json!("credit_note"), &sold.invoice["id"]));
    assert_eq!(note["totals"]["gross"]["amount"], "4.20");

    // The company sees what goes back, but not what the seller does with the rest, nor why.
    let shown = sold.show("grocer", &id).await;
    assert!(shown["inspections"].is_null() && shown["lines"][0]["restock"].is_null(), "{shown}");
    assert_eq!(shown["lines"][0]["sent_back"], "1");
    for (filter, count) in [
        ("status=settled".to_owned(), 1),
        ("status=requested".to_owned(), 0),
        ("kind=complaint".to_owned(), 0),
        (format!("order={}", sold.invoice["order"].as_str().unwrap()), 1),
        (format!("invoice={}", sold.invoice["id"].as_str().unwrap()), 1),
        (format!("number={}", shown["number"].as_str().unwrap()), 1),
        (format!("company={}", sold.shop.grocer), 1),
    ] {
        let found = instance.all("sales", &format!("{RETURNS}?{filter}")).await;
        assert_eq!(found.len(), count, "{filter}");
    }
}

#[tokio::test]
async fn of_another_company_there_is_nothing() {
    let mut sold = Sold::to_grocer().await;
    let lines = json!([{ "invoice_line": 1, "quantity": "1", "reason": "damaged" }]);
    let foreign = sold.request("hotel", "return", lines.clone()).await;
    let mut missing = sold.asked("return", &lines);
    missing["invoice"] = json!(MISSING);
    let missing = sold.instance().post("hotel", RETURNS, &missing).await;
    assert_eq!((foreign.status, &foreign.body["code"]), (404, &missing.body["code"]));
    let id = created(sold.request("grocer", "return", lines).await);
    for what in ["withdraw", "send"] {
        let body = if what == "send" { json!({ "transport": "own" }) } else { json!({}) };
        let foreign = sold.act("hotel", &id, what, body.clone()).await;
        let missing = sold.act("hotel", MISSING, what, body).await;
        assert_eq!((foreign.status, &foreign.body["code"]), (404, &missing.body["code"]), "{what}");
    }
    let message = json!({ "text": "Kiedy kurier?" });
    let path = format!("/v1/conversations/returns/{id}");
    let messages = format!("{path}/messages");
    done(sold.instance().post("grocer", &messages, &message).await);
    assert_eq!(sold.instance().post("hotel", &messages, &message).await.status, 404);
    let told = sold.instance().get("warehouse", &path).await.body;
    assert_eq!(told["items"][0]["text"], "Kiedy kurier?");
    assert_eq!(told["subject"], json!({ "kind": "goods_return", "id": id }));
    assert_eq!(sold.instance().get("hotel", &path).await.status, 404);

    // Nor is the inspection in what a company reads of history.
    done(sold.act("sales", &id, "authorise", json!({})).await);
    let came = json!({ "lines": [{ "line": 1, "quantity": "1" }] });
    done(sold.act("warehouse", &id, "receive", came).await);
    let found = json!({ "lines": [{ "line": 1, "scrap": "1" }], "note": "Nasza wina" });
    done(sold.act("warehouse", &id, "inspect", found).await);
    done(sold.act("accounting", &id, "credit", json!({})).await);
    let grocer = sold.shop.grocer.clone();
    sold.shop.instance.make_key("grocer's erp", "integrator", Some(&grocer)).await;
    sold.instance().settled().await;
    let history = sold.instance().all("grocer's erp", &format!("/v1/history/{id}")).await;
    let types: Vec<&str> =
        history.iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    let seen = ["requested", "authorised", "received", "credited", "settled"];
    assert_eq!(types, seen.map(|name| format!("goods_return.{name}")));
}

#[tokio::test]
async fn a_request_is_held_to_its_invoice() {
    let sold = Sold::to_grocer().await;
    let line = |number: u32, quantity: &str, reason: &str| json!({ "invoice_line": number, "quantity": quantity, "reason": reason });
    let priced = |reason: &str, price: &str| {
        let mut line = line(1, "1", reason);
        line["claimed_price"] = json!(price);
        line
    };
    let one = line(1, "1", "damaged");
    for (kind, lines, status, code, pointer) in [
        ("return", vec![], 422, "lines.count_invalid", "/lines"),
        (
            "return",
            vec![one.clone(), line(4, "1", "damaged")],
            422,
            "goods_return.not_on_invoice",
            "/lines/1/invoice_line",
        ),
        (
            "return",
            vec![one.clone(), line(1, "9.5", "damaged")],
            422,
            "product.indivisible",
            "/lines/1/quantity",
        ),
        // The same line twice counts twice.
        (
            "return",
            vec![line(1, "6", "damaged"), line(1, "5", "quality")],
            409,
            "goods_return.more_than_left",
            "/lines/1/quantity",
        ),
        (
            "return",
            vec![line(3, "2.501", "damaged")],
            409,
            "goods_return.more_than_left",
            "/lines/0/quantity",
        ),
        (
            "return",
            vec![one.clone(), line(2, "1", "shortage")],
            422,
            "goods_return.reason_does_not_fit",
            "/lines/1/reason",
        ),
        (
            "complaint",
            vec![line(2, "1", "not_needed")],
            422,
            "goods_return.reason_does_not_fit",
            "/lines/0/reason",
        ),
        (
            "complaint",
            vec![line(1, "1", "wrong_price")],
            422,
            "goods_return.price_missing",
            "/lines/0/claimed_price",
        ),
        (
            "complaint",
            vec![priced("wrong_price", "2.00")],
            422,
            "goods_return.price_not_lower",
            "/lines/0/claimed_price",
        ),
        (
            "complaint",
            vec![priced("damaged", "1.00")],
            422,
            "goods_return.no_price",
            "/lines/0/claimed_price",
        ),
    ] {
        let answer = sold.request("grocer", kind, json!(lines)).await;
        refused(&answer, status, code);
        assert_eq!(pointers(&answer), [pointer], "{answer:?}");
    }
    let mut yesterday = sold.asked("return", &json!([one]));
    yesterday["requested_on"] = json!("2026-03-21");
    let answer = sold.instance().post("grocer", RETURNS, &yesterday).await;
    refused(&answer, 422, "goods_return.other_day");
    created(sold.instance().post("sales", RETURNS, &yesterday).await);
}

#[tokio::test]
async fn a_list_names_each_line_once() {
    let sold = Sold::to_grocer().await;
    let line = json!({ "invoice_line": 3, "quantity": "2", "reason": "damaged" });
    let id = created(sold.request("grocer", "return", json!([line])).await);
    let twice =
        json!({ "lines": [{ "line": 1, "quantity": "2" }, { "line": 1, "quantity": "2" }] });
    for what in ["authorise", "receive"] {
        let role = if what == "receive" { "warehouse" } else { "sales" };
        let answer = sold.act(role, &id, what, twice.clone()).await;
        refused(&answer, 422, "goods_return.line_named_twice");
        assert_eq!(pointers(&answer), ["/lines/1/line"], "{what}");
        if what == "authorise" {
            done(sold.act("sales", &id, "authorise", json!({})).await);
        }
    }
    done(
        sold.act("warehouse", &id, "receive", json!({ "lines": [{ "line": 1, "quantity": "2" }] }))
            .await,
    );
    let twice = json!({ "lines": [{ "line": 1, "scrap": "1" }, { "line": 1, "scrap": "1" }] });
    let answer = sold.act("warehouse", &id, "inspect", twice).await;
    refused(&answer, 422, "goods_return.line_named_twice");
    refused(
        &sold.act("sales", &id, "close", json!({ "reason": "Koniec" })).await,
        409,
        "goods_return.not_inspected",
    );
}

#[tokio::test]
async fn concurrent_returns_hold_no_more_than_was_sold() {
    let sold = Sold::to_grocer().await;
    let lines = json!([{ "invoice_line": 1, "quantity": "6", "reason": "damaged" }]);
    let asked = (0..8).map(|_| sold.request("grocer", "return", lines.clone()));
    let answers = futures::future::join_all(asked).await;
    let (requested, others): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!(requested.len(), 1, "{requested:?}");
    for answer in &others {
        refused(answer, 409, "goods_return.more_than_left");
    }
    let four = json!([{ "invoice_line": 1, "quantity": "4", "reason": "not_needed" }]);
    created(sold.request("grocer", "return", four).await);
    let id = created(requested.into_iter().next().unwrap());
    let again = json!([{ "invoice_line": 1, "quantity": "1", "reason": "quality" }]);
    let none_left = sold.request("grocer", "complaint", again.clone()).await;
    refused(&none_left, 409, "goods_return.more_than_left");
    // What is taken back, or refused, can be requested once more.
    done(sold.act("grocer", &id, "withdraw", json!({})).await);
    done(sold.act("grocer", &id, "withdraw", json!({})).await);
    created(sold.request("grocer", "complaint", again).await);
}

#[tokio::test]
async fn a_company_returns_within_the_term_of_the_product() {
    let sold = Sold::to_grocer().await;
    let instance = sold.instance();
    let products = instance.all("admin", "/v1/products").await;
    let rice = products.iter().find(|product| product["sku"] == "RICE").unwrap();
    let path = format!("/v1/products/{}", rice["id"].as_str().unwrap());
    let set = async |days: Value| {
        let body = json!({ "days": days });
        instance.post("admin", &format!("{path}/return-term"), &body).await
    };
    refused(&set(json!(3_651)).await, 422, "product.return_term_too_long");
    done(set(json!(14)).await);
    assert_eq!(instance.get("admin", &path).await.body["return_term_days"], 14);
    let lines = json!([
        { "invoice_line": 2, "quantity": "1", "reason": "damaged" },
        { "invoice_line": 1, "quantity": "1", "reason": "damaged" },
    ]);
    let late = sold.request("grocer", "return", lines.clone()).await;
    refused(&late, 409, "goods_return.too_late");
    assert_eq!(pointers(&late), ["/lines/1/invoice_line"]);
    // Not so a complaint, nor what the seller takes back.
    created(sold.request("grocer", "complaint", lines.clone()).await);
    created(sold.request("sales", "return", lines.clone()).await);
    done(set(Value::Null).await);
    created(sold.request("grocer", "return", lines).await);
}

#[tokio::test]
async fn a_request_with_the_same_key_is_one() {
    let sold = Sold::to_grocer().await;
    let lines = json!([{ "invoice_line": 1, "quantity": "6", "reason": "damaged" }]);
    let asked = sold.asked("return", &lines);
    let instance = sold.instance();
    let send = || instance.post_with_key("grocer", RETURNS, "r-1", &asked);
    let (first, again) = (send().await, send().await);
    assert_eq!(first, again);
    let id = created(first);
    done(sold.act("sales", &id, "authorise", json!({})).await);
    let came = json!({ "lines": [{ "line": 1, "quantity": "6" }] });
    let path = format!("{RETURNS}/{id}/receive");
    for _ in 0..2 {
        done(instance.post_with_key("warehouse", &path, "r-2", &came).await);
    }
    let found = json!({ "lines": [{ "line": 1, "scrap": "6" }] });
    done(sold.act("warehouse", &id, "inspect", found).await);
    let path = format!("{RETURNS}/{id}/credit");
    for _ in 0..2 {
        done(instance.post_with_key("accounting", &path, "r-3", &json!({})).await);
    }
    // Six of rice at 2.10 once.
    assert_eq!(sold.shop.owes().await, ["142.38", "142.38", "0.00"]);
}

#[tokio::test]
async fn a_complaint_is_credited_without_goods_by_quantity_or_by_price() {
    let sold = Sold::to_grocer().await;
    let lines = json!([
        { "invoice_line": 1, "quantity": "2", "reason": "shortage" },
        { "invoice_line": 2, "quantity": "4", "reason": "wrong_price", "claimed_price": "9.00" },
    ]);
    let id = created(sold.request("grocer", "complaint", lines).await);
    let nothing =
        sold.act("warehouse", &id, "receive", json!({ "lines": [{ "line": 1, "quantity": "1" }] }));
    refused(&nothing.await, 409, "goods_return.not_authorised");
    let answer = json!({ "lines": [
        { "line": 2, "quantity": "4", "right_price": "9.50" }] });
    done(sold.act("sales", &id, "authorise", answer).await);
    let nothing =
        sold.act("warehouse", &id, "receive", json!({ "lines": [{ "line": 1, "quantity": "1" }] }));
    refused(&nothing.await, 409, "goods_return.nothing_comes_back");
    let replaced = sold.act("accounting", &id, "replace", json!({})).await;
    refused(&replaced, 409, "goods_return.nothing_to_replace");
    done(sold.act("accounting", &id, "credit", json!({})).await);
    // 4.00 at 5 %, and 4 × 0.50 at 23 %.
    assert_eq!(sold.shop.owes().await, ["148.32", "148.32", "0.00"]);
    let shown = sold.show("grocer", &id).await;
    assert_eq!(shown["status"], "settled");
    let note = shown["credits"][0]["credit_note"].as_str().unwrap();
    let note = sold.instance().get("grocer", &format!("/v1/invoices/{note}")).await.body;
    let line = &note["lines"][1];
    assert_eq!((&line["quantity"], &line["unit_price"]), (&json!("4"), &json!("0.50")));

    // The coffee stays sold, at 9.50, and comes back at that.
    let id = sold.restocked(2, "4").await;
    done(sold.act("accounting", &id, "credit", json!({})).await);
    assert_eq!(sold.shop.owes().await, ["101.58", "101.58", "0.00"]);
    // By hand: the price of the rest of the rice is lowered, but not below nothing.
    let lower = |price: &str| {
        json!({ "company": sold.shop.grocer, "corrects": sold.invoice["id"], "currency": "PLN",
            "lines": [{ "sku": "RICE", "quantity": "8", "price_reduction": price }] })
    };
    let path = "/v1/credit-notes";
    let above = sold.instance().post("accounting", path, &lower("2.01")).await;
    refused(&above, 409, "credit_note.above_line");
    assert_eq!(pointers(&above), ["/lines/0/price_reduction"]);
    created(sold.instance().post("accounting", path, &lower("0.25")).await);
    assert_eq!(sold.shop.owes().await, ["99.48", "99.48", "0.00"]);
    let mut alone = lower("0.25");
    alone["corrects"] = Value::Null;
    let alone = sold.instance().post("accounting", path, &alone).await;
    refused(&alone, 422, "credit_note.reduction_without_invoice");
}

#[tokio::test]
async fn what_is_replaced_is_credited_and_ordered_at_the_same_price() {
    let sold = Sold::to_grocer().await;
    let instance = sold.instance();
    let id = sold.restocked(1, "3").await;
    done(sold.act("accounting", &id, "replace", json!({ "reference": "W-1" })).await);
    let shown = sold.show("grocer", &id).await;
    let order = shown["credits"][0]["replacement"].as_str().unwrap();
    assert_eq!(sold.shop.owes().await, ["148.68", "148.68", "0.00"]);
    let placed = instance.get("grocer", &format!("/v1/orders/{order}")).await.body;
    assert_eq!(placed["reference"], "W-1");
    let line = &placed["lines"][0];
    assert_eq!((&line["quantity"], &line["unit_price"]), (&json!("3"), &json!("2.00")));
    done(instance.post("sales", &format!("/v1/orders/{order}/confirm"), &json!({})).await);
    sold.shop.dispatch(json!({ "order": order })).await;
    assert_eq!(sold.shop.owes().await, ["154.98", "154.98", "0.00"]);
}

#[tokio::test]
async fn returns_and_credit_notes_by_hand_credit_no_more_than_the_invoice_together() {
    let sold = Sold::to_grocer().await;
    let instance = sold.instance();
    let id = sold.restocked(1, "7").await;
    let by_hand = |quantity: &str| {
        json!({ "company": sold.shop.grocer, "corrects": sold.invoice["id"], "currency": "PLN",
            "lines": [{ "sku": "RICE", "quantity": quantity }] })
    };
    created(instance.post("accounting", "/v1/credit-notes", &by_hand("5")).await);
    // Five are credited and seven are in a return: nothing is left to return.
    let one = json!([{ "invoice_line": 1, "quantity": "1", "reason": "damaged" }]);
    let none_left = sold.request("grocer", "return", one).await;
    refused(&none_left, 409, "goods_return.more_than_left");
    let all = sold.act("accounting", &id, "credit", json!({})).await;
    refused(&all, 409, "credit_note.more_than_left");
    assert_eq!(pointers(&all), ["/lines/0/quantity"]);
    let five = json!({ "lines": [{ "line": 1, "quantity": "5" }] });
    done(sold.act("accounting", &id, "credit", five).await);
    done(sold.act("sales", &id, "close", json!({ "reason": "Reszta bez korekty" })).await);
    // The rice is credited to the last grosz.
    assert_eq!(sold.shop.owes().await, ["133.98", "133.98", "0.00"]);
    let more = instance.post("accounting", "/v1/credit-notes", &by_hand("1")).await;
    refused(&more, 409, "credit_note.more_than_left");
    let refund = sold.restocked(3, "2.5").await;
    done(sold.act("accounting", &refund, "credit", json!({})).await);
    let refund = sold.restocked(2, "4").await;
    done(sold.act("accounting", &refund, "credit", json!({})).await);
    assert_eq!(sold.shop.owes().await, ["0.00", "0.00", "0.00"]);
}
