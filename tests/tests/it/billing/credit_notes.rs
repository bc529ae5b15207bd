//! Credit notes do not exceed their invoice, and payments and credit notes are allocated in any
//! order of arrival.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    forgery::forge,
    journeys::{Shop, created, refused},
};

const CREDIT_NOTES: &str = "/v1/credit-notes";

#[tokio::test]
async fn a_credit_note_gives_back_no_more_than_its_invoice_charged() {
    let shop = Shop::open().await;
    let Shop { instance, grocer, hotel } = &shop;
    let lines = json!([
        { "sku": "RICE", "quantity": "10" },
        { "sku": "COURSE", "quantity": "1" },
        { "sku": "RICE", "quantity": "5" },
    ]);
    let order = shop.confirmed_order(lines).await;
    let dispatched = json!({ "order": order, "dispatched_on": "2026-03-20" });
    let invoice = shop.dispatch(dispatched).await;
    assert_eq!(shop.owes().await, ["181.50", "181.50", "0.00"]);

    let credit = |lines: Value| {
        json!({ "company": grocer, "corrects": invoice["id"], "currency": "PLN",
            "issued_on": "2026-03-25", "lines": lines })
    };
    let with = |name: &str, value: Value| {
        let mut credit = credit(json!([{ "line": 1, "quantity": "1" }]));
        credit[name] = value;
        credit
    };
    let of = |line: Value| credit(json!([{ "line": 2, "quantity": "1" }, line]));
    for (body, status, code, pointer) in [
        (
            of(json!({ "line": 1, "quantity": "10.5" })),
            409,
            "credit_note.more_than_left",
            "/lines/1/quantity",
        ),
        (
            of(json!({ "line": 2, "quantity": "0.001" })),
            409,
            "credit_note.more_than_left",
            "/lines/1/quantity",
        ),
        (
            of(json!({ "line": 4, "quantity": "1" })),
            422,
            "credit_note.not_on_invoice",
            "/lines/1/line",
        ),
        (
            of(json!({ "sku": "COFFEE", "quantity": "1" })),
            422,
            "credit_note.not_on_invoice",
            "/lines/1/sku",
        ),
        (
            of(json!({ "sku": "RICE", "quantity": "1" })),
            422,
            "credit_note.line_ambiguous",
            "/lines/1/sku",
        ),
        (of(json!({ "quantity": "1" })), 422, "credit_note.line_not_named", "/lines/1/line"),
        (
            of(json!({ "line": 1, "sku": "RICE", "quantity": "1" })),
            422,
            "credit_note.line_not_named",
            "/lines/1/line",
        ),
        (
            of(json!({ "line": 1, "quantity": "1", "unit_price": "2.01" })),
            422,
            "credit_note.other_price",
            "/lines/1/unit_price",
        ),
        (with("issued_on", json!("2026-03-19")), 422, "credit_note.before_invoice", "/issued_on"),
        (with("sold_on", json!("2026-03-19")), 422, "credit_note.other_sale_date", "/sold_on"),
        (with("currency", json!("EUR")), 422, "credit_note.other_currency", "/currency"),
        (with("company", json!(hotel)), 422, "credit_note.other_company", "/corrects"),
        (with("corrects", Value::Null), 422, "credit_note.line_without_invoice", "/lines/0/line"),
    ] {
        let answer = instance.post("accounting", CREDIT_NOTES, &body).await;
        refused(&answer, status, code);
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{answer:?}");
    }
    let missing = with("corrects", json!(Uuid::nil()));
    refused(&instance.post("accounting", CREDIT_NOTES, &missing).await, 404, "invoice.unissued");
    // A tenth of the rice, by the invoice's price and rate.
    let part = credit(json!([{ "line": 1, "quantity": "1" }]));
    created(instance.post("accounting", CREDIT_NOTES, &part).await);
    assert_eq!(shop.owes().await, ["179.40", "179.40", "0.00"]);

    // Of many at once, each of all that is left, one is issued.
    let all = credit(json!([
        { "line": 1, "quantity": "9" },
        { "sku": "COURSE", "quantity": "1", "unit_price": "150.00" },
        { "line": 3, "quantity": "2" },
        { "line": 3, "quantity": "3" },
    ]));
    let asked = (0..8).map(|_| instance.post("accounting", CREDIT_NOTES, &all));
    let answers = futures::future::join_all(asked).await;
    let (issued, others): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(issued.len(), 1, "{answers:?}");
    for answer in others {
        refused(answer, 409, "credit_note.more_than_left");
    }
    assert_eq!(shop.owes().await, ["0.00", "0.00", "0.00"]);
    // Everything once more, after it was paid for by the notes.
    refused(
        &instance.post("accounting", CREDIT_NOTES, &part).await,
        409,
        "credit_note.more_than_left",
    );
}

/// An older build issued credit notes that the invoice's own history does not tell of.
#[tokio::test]
async fn credit_notes_of_an_older_build_count() {
    let shop = Shop::open().await;
    let Shop { instance, grocer, .. } = &shop;
    let order = shop.confirmed_order(json!([{ "sku": "RICE", "quantity": "10" }])).await;
    let invoice = shop.dispatch(json!({ "order": order })).await;
    let money = |amount: &str| json!({ "amount": amount, "currency": "PLN" });
    let path = format!("/v1/invoices/{}", invoice["id"].as_str().unwrap());
    let mut line = instance.get("accounting", &path).await.body["lines"][0].clone();
    line["quantity"] = json!("7");
    let sums = [("net", "14.00"), ("vat", "0.70"), ("gross", "14.70")];
    let mut totals: Value =
        sums.into_iter().map(|(name, sum)| (name.to_owned(), money(sum))).collect();
    totals["by_rate"] = json!([{ "rate": "5", "net": money("14.00"), "vat": money("0.70") }]);
    let old = json!({
        "type": "credit_note_issued", "number": "FK/2026/01/0001", "company": grocer,
        "corrects": invoice["id"], "currency": "PLN", "lines": [line], "totals": totals,
        "on": "2026-01-01",
    });
    let database = instance.database().await;
    forge(&database, Uuid::now_v7(), "invoice.credit_note_issued", 1, &old).await;
    let credit = |quantity: &str| {
        json!({ "company": grocer, "corrects": invoice["id"], "currency": "PLN",
            "lines": [{ "sku": "RICE", "quantity": quantity }] })
    };
    let answer = instance.post("accounting", CREDIT_NOTES, &credit("4")).await;
    refused(&answer, 409, "credit_note.more_than_left");
    created(instance.post("accounting", CREDIT_NOTES, &credit("3")).await);
    let answer = instance.post("accounting", CREDIT_NOTES, &credit("0.001")).await;
    refused(&answer, 409, "credit_note.more_than_left");
}

#[tokio::test]
async fn what_was_paid_or_credited_before_an_invoice_is_set_against_it() {
    let shop = Shop::open().await;
    let Shop { instance, grocer, .. } = &shop;
    created(instance.post("accounting", "/v1/payments", &payment(grocer, "100.00")).await);
    let credit = json!({ "company": grocer, "currency": "PLN",
        "lines": [{ "sku": "COFFEE", "quantity": "1", "unit_price": "10.00" }] });
    created(instance.post("accounting", CREDIT_NOTES, &credit).await);
    assert_eq!(shop.owes().await, ["-112.30", "0.00", "112.30"]);

    let course = json!([{ "sku": "COURSE", "quantity": "1" }]);
    let order = shop.confirmed_order(course.clone()).await;
    let first = shop.dispatch(json!({ "order": order })).await;
    assert_eq!(shop.owes().await, ["37.70", "37.70", "0.00"]);
    let order = shop.confirmed_order(course).await;
    shop.dispatch(json!({ "order": order })).await;
    // What was paid for and comes back pays for what is still open.
    let credit = json!({ "company": grocer, "corrects": first["id"], "currency": "PLN",
        "lines": [{ "line": 1, "quantity": "1" }] });
    created(instance.post("accounting", CREDIT_NOTES, &credit).await);
    assert_eq!(shop.owes().await, ["37.70", "37.70", "0.00"]);
    // Once more from the beginning: nothing is set against anything twice.
    let head = instance.settled().await;
    instance
        .database()
        .await
        .execute("UPDATE policy.checkpoints SET position = 0", &[])
        .await
        .unwrap();
    assert_eq!(instance.settled().await, head);
}

fn payment(company: &str, amount: &str) -> Value {
    json!({ "company": company, "method": "transfer",
        "amount": { "amount": amount, "currency": "PLN" } })
}
