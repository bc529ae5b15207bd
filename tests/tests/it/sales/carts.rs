//! Carts: filled by rows, shared, merged, ordered; every row is answered.

use serde_json::{Value, json};

use crate::{
    instance::{Answer, Instance},
    journeys::{Shop, created, done, refused},
};

/// A shop with two employees of the grocer, and rice by the carton of six.
pub(crate) struct Counter {
    pub(crate) shop: Shop,
}

impl Counter {
    pub(crate) async fn open() -> Self {
        let mut shop = Shop::open().await;
        let grocer = shop.grocer.clone();
        shop.instance.engage("Ewa", "purchaser", Some(&grocer)).await;
        shop.instance.engage("Jan", "purchaser", Some(&grocer)).await;
        let counter = Self { shop };
        let rice = counter.product("RICE").await;
        let packing = json!({ "multiple": "6", "packagings": [{ "name": "carton", "holds": "6",
            "gtin": "5901234123457" }] });
        counter.act(&rice, "packing", packing).await;
        counter
    }

    pub(crate) fn instance(&self) -> &Instance {
        &self.shop.instance
    }

    async fn product(&self, sku: &str) -> String {
        let found = self.instance().get("admin", &format!("/v1/products?sku={sku}")).await.body;
        found["items"][0]["id"].as_str().unwrap().to_owned()
    }

    async fn act(&self, product: &str, what: &str, body: Value) {
        done(self.instance().post("admin", &format!("/v1/products/{product}/{what}"), &body).await);
    }

    pub(crate) async fn cart(&self, who: &str, shared: bool) -> String {
        let body = json!({ "name": "Kuchnia", "currency": "PLN", "shared": shared });
        created(self.instance().post(who, "/v1/carts", &body).await)
    }

    pub(crate) async fn add(&self, who: &str, cart: &str, rows: Value) -> Value {
        let path = format!("/v1/carts/{cart}/lines");
        let answer = self.instance().post(who, &path, &json!({ "rows": rows })).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    pub(crate) async fn command(&self, who: &str, cart: &str, what: &str, body: Value) -> Answer {
        self.instance().post(who, &format!("/v1/carts/{cart}/{what}"), &body).await
    }

    /// The lines as `number sku quantity`.
    pub(crate) async fn lines(&self, who: &str, cart: &str) -> Vec<String> {
        let lines = self.instance().all(who, &format!("/v1/carts/{cart}/lines")).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        lines
            .iter()
            .map(|line| {
                format!("{} {} {}", line["line"], text(&line["sku"]), text(&line["quantity"]))
            })
            .collect()
    }

    async fn totals(&self, who: &str, cart: &str) -> Value {
        let answer = self.instance().get(who, &format!("/v1/carts/{cart}/totals")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }
}

/// Whether as many rows are answered as were given.
#[track_caller]
fn check_count(answer: &Value, rows: usize) {
    assert_eq!(answer["rows"].as_array().unwrap().len(), rows, "{answer}");
    let sum = answer["accepted"].as_u64().unwrap() + answer["refused"].as_u64().unwrap();
    assert_eq!(sum, rows as u64, "{answer}");
}

#[tokio::test]
async fn every_row_is_answered() {
    let counter = Counter::open().await;
    let grocer = counter.shop.grocer.clone();
    let codes = json!({ "codes": [{ "code": "KAWA-1", "sku": "COFFEE" }] });
    let path = format!("/v1/companies/{grocer}/product-codes");
    done(counter.instance().post("grocer", &path, &codes).await);
    let level = json!({ "levels": [{ "sku": "COFFEE", "available": "3" }] });
    done(counter.instance().post("warehouse", "/v1/stock", &level).await);
    counter.instance().settled().await;
    let cart = counter.cart("Ewa", true).await;
    let rows = json!([
        { "sku": "COFFEE", "quantity": "2" },
        { "code": "KAWA-1", "quantity": "1,0" },
        { "gtin": "5901234123457", "quantity": "2" },
        { "identifier": "COURSE", "quantity": "1", "note": "Dla Jana" },
        { "sku": "RICE", "quantity": "1" },
        { "sku": "COFFE", "quantity": "1" },
        { "sku": "COFFEE", "quantity": "dwa" },
        { "sku": "COFFEE", "quantity": "0.5" },
        { "sku": "COFFEE", "gtin": "5901234123457", "quantity": "1" },
        { "quantity": "1" },
        { "sku": "RICE", "quantity": "1", "packaging": "paleta" },
        { "sku": "RICE", "quantity": "1", "packaging": "wiadro" },
        { "sku": "COFFEE" },
    ]);
    let dry = format!("/v1/carts/{cart}/lines?dry_run=true");
    let dry = counter.instance().post("Ewa", &dry, &json!({ "rows": rows })).await.body;
    check_count(&dry, 13);
    assert_eq!(dry["dry_run"], true);
    assert_eq!(dry["position"], Value::Null);
    assert_eq!(counter.lines("Ewa", &cart).await, [""; 0]);

    let answer = counter.add("Ewa", &cart, rows.clone()).await;
    check_count(&answer, 13);
    assert_eq!((&answer["accepted"], &answer["refused"]), (&json!(5), &json!(8)));
    let row = |index: usize| &answer["rows"][index];
    let coffee = row(0);
    assert_eq!((&coffee["line"], &coffee["quantity"]), (&json!(1), &json!("3")));
    assert_eq!((&coffee["asked"], &coffee["unit_price"]), (&json!("2"), &json!("10.00")));
    assert_eq!(coffee["net"], json!({ "amount": "30.00", "currency": "PLN" }));
    assert_eq!(coffee["stock"]["available"], "3");
    assert_eq!(coffee["priced_by"]["kind"], "base");
    assert_eq!(row(1)["line"], 1, "the same product is the same line");
    // Two cartons, and one piece more, are eighteen.
    let rice = row(2);
    assert_eq!((&rice["packaging"], &rice["asked"]), (&json!("carton"), &json!("12")));
    assert_eq!((&rice["quantity"], &rice["rounded_from"]), (&json!("18"), &json!("13")));
    let codes: Vec<&str> = (5..13).map(|index| row(index)["code"].as_str().unwrap()).collect();
    assert_eq!(
        codes,
        [
            "row.product_unknown",
            "row.quantity_invalid",
            "product.indivisible",
            "row.identifier_twice",
            "row.identifier_missing",
            "product.not_packed_so",
            "row.packaging_unknown",
            "row.quantity_missing",
        ]
    );
    assert_eq!(row(5)["near"][0]["sku"], "COFFEE");
    assert_eq!(answer["net"]["amount"], "216.00");
    for (index, answered) in answer["rows"].as_array().unwrap().iter().enumerate() {
        assert_eq!(answered["row"], index + 1);
        let dry = &dry["rows"][index];
        for same in ["status", "code", "quantity", "unit_price", "net"] {
            assert_eq!(answered[same], dry[same], "{same} of row {index}");
        }
    }
    assert_eq!(counter.lines("Ewa", &cart).await, ["1 COFFEE 3", "2 RICE 18", "3 COURSE 1"]);
    let again = json!({ "rows": [{ "sku": "COFFEE", "quantity": "7" }] });
    let path = format!("/v1/carts/{cart}/lines?mode=replace");
    done(counter.instance().post("Ewa", &path, &again).await);
    assert_eq!(counter.lines("Ewa", &cart).await[0], "1 COFFEE 7");
}

#[tokio::test]
async fn a_repeat_adds_nothing() {
    let counter = Counter::open().await;
    let cart = counter.cart("Ewa", false).await;
    let path = format!("/v1/carts/{cart}/lines");
    let body =
        json!({ "rows": [{ "sku": "COFFEE", "quantity": "2" }, { "sku": "X", "quantity": "1" }] });
    let post = |body| counter.instance().post_with_key("Ewa", &path, "rows-1", body);
    let (first, again) = (post(&body).await, post(&body).await);
    assert_eq!((&first.body["repeated"], &again.body["repeated"]), (&json!(false), &json!(true)));
    for same in ["rows", "position", "version", "net"] {
        assert_eq!(first.body[same], again.body[same], "{same}");
    }
    let other = json!({ "rows": [{ "sku": "COFFEE", "quantity": "3" }] });
    refused(&post(&other).await, 422, "idempotency_key.reused");
    assert_eq!(counter.lines("Ewa", &cart).await, ["1 COFFEE 2"]);
}

#[tokio::test]
async fn withdrawn_products_name_what_is_sold_instead() {
    let counter = Counter::open().await;
    let (coffee, rice) = (counter.product("COFFEE").await, counter.product("RICE").await);
    let cart = counter.cart("Ewa", true).await;
    counter.add("Ewa", &cart, json!([{ "sku": "COFFEE", "quantity": "2" }])).await;
    counter.act(&coffee, "withdraw", json!({ "successor": rice })).await;
    let answer = counter.add("Ewa", &cart, json!([{ "sku": "COFFEE", "quantity": "1" }])).await;
    let row = &answer["rows"][0];
    assert_eq!(
        (&row["code"], &row["instead"][0]["sku"]),
        (&json!("row.product_withdrawn"), &json!("RICE"))
    );
    let totals = counter.totals("Ewa", &cart).await;
    assert_eq!((&totals["orderable"], &totals["not_orderable"]), (&json!(0), &json!(1)));
    let news = &totals["changes"][0];
    assert_eq!(
        (&news["kind"], &news["code"]),
        (&json!("not_orderable"), &json!("row.product_withdrawn"))
    );
    let order = counter.command("Ewa", &cart, "order", json!({})).await;
    refused(&order, 409, "product.not_published");
}

#[tokio::test]
async fn totals_are_those_of_the_invoice() {
    let counter = Counter::open().await;
    let cart = counter.cart("Ewa", true).await;
    let rows = json!([{ "sku": "COFFEE", "quantity": "3" }, { "sku": "RICE", "quantity": "6" },
        { "sku": "COURSE", "quantity": "1" }]);
    counter.add("Ewa", &cart, rows).await;
    let totals = counter.totals("Ewa", &cart).await;
    // 30.00 at 23 %, 12.00 at 5 %, 150.00 exempt.
    let sum = &totals["totals"];
    assert_eq!((&sum["net"]["amount"], &sum["vat"]["amount"]), (&json!("192.00"), &json!("7.50")));
    assert_eq!(sum["gross"]["amount"], "199.50");
    assert_eq!(totals["changes"], json!([]));
    assert_eq!(totals["approval"], Value::Null);
    // What changes afterwards is said.
    let coffee = counter.product("COFFEE").await;
    counter.act(&coffee, "price", json!({ "currency": "PLN", "price": "11.00" })).await;
    let level = json!({ "levels": [{ "sku": "RICE", "available": "2" }] });
    done(counter.instance().post("warehouse", "/v1/stock", &level).await);
    counter.instance().settled().await;
    let path = format!("/v1/companies/{}/approval-rules", counter.shop.grocer);
    let rules = json!({ "rules": [{ "name": "Powyżej 100",
        "when": { "above": [{ "amount": "100.00", "currency": "PLN" }] },
        "steps": [{ "by": { "kind": "role", "role": "company_admin" } }] }] });
    done(counter.instance().post("admin", &path, &rules).await);
    let totals = counter.totals("Ewa", &cart).await;
    let kinds: Vec<&Value> =
        totals["changes"].as_array().unwrap().iter().map(|news| &news["kind"]).collect();
    assert_eq!(kinds, ["price_changed", "stock_short"]);
    let price = &totals["changes"][0];
    assert_eq!((&price["was"], &price["now"]), (&json!("10.00"), &json!("11.00")));
    assert_eq!(totals["approval"]["steps"][0]["by"]["role"], "company_admin");

    let placed = counter.command("Ewa", &cart, "order", json!({ "reference": "K-1" })).await;
    let order = created(placed);
    counter.instance().settled().await;
    let order = counter.instance().get("Ewa", &format!("/v1/orders/{order}")).await.body;
    assert_eq!(order["status"], "awaiting_approval");
    assert_eq!(order["lines"][0]["unit_price"], "11.00", "the price of placing holds");
    let shown = counter.instance().get("Ewa", &format!("/v1/carts/{cart}")).await.body;
    assert_eq!((&shown["status"], &shown["became"]), (&json!("ordered"), &order["id"]));
    let late = counter.command("Ewa", &cart, "lines/remove", json!({ "lines": [1] })).await;
    refused(&late, 409, "cart.closed");
}

#[tokio::test]
async fn two_employees_share_a_cart() {
    let counter = Counter::open().await;
    let private = counter.cart("Ewa", false).await;
    counter.add("Ewa", &private, json!([{ "sku": "COFFEE", "quantity": "2" }])).await;
    let rows = json!({ "rows": [{ "sku": "COFFEE", "quantity": "1" }] });
    let path = format!("/v1/carts/{private}");
    // Nobody else sees a private cart, in the company or at the seller.
    for who in ["Jan", "grocer", "hotel", "sales", "admin"] {
        assert_eq!(counter.instance().get(who, &path).await.status, 404, "{who}");
        for what in ["lines", "totals"] {
            let path = format!("{path}/{what}");
            assert_eq!(counter.instance().get(who, &path).await.status, 404, "{who} {what}");
        }
        assert_eq!(
            counter.command(who, &private, "lines", rows.clone()).await.status,
            404,
            "{who}"
        );
        assert_eq!(counter.command(who, &private, "share", json!({})).await.status, 404, "{who}");
        let listed = counter.instance().all(who, "/v1/carts").await;
        assert_eq!(listed.len(), 0, "{who}");
    }
    done(counter.command("Ewa", &private, "share", json!({})).await);
    counter.add("Jan", &private, json!([{ "sku": "RICE", "quantity": "6" }])).await;
    let change = json!({ "lines": [{ "line": 1, "quantity": "5" }] });
    done(counter.command("sales", &private, "lines/change", change).await);
    let lines = counter.instance().all("Ewa", &format!("{path}/lines")).await;
    assert_eq!(lines[0]["changed_by"]["kind"], "key", "a key that is nobody's");
    assert_eq!(lines[1]["changed_by"]["name"], "Jan");
    for (who, status) in [("Jan", 200), ("grocer", 200), ("sales", 200), ("hotel", 404)] {
        assert_eq!(counter.instance().get(who, &path).await.status, status, "{who}");
    }
    refused(
        &counter.command("Jan", &private, "unshare", json!({})).await,
        409,
        "cart.not_the_owner",
    );
    done(counter.command("Ewa", &private, "unshare", json!({})).await);
    assert_eq!(counter.instance().get("Jan", &path).await.status, 404);
    // Whoever may not order fills no cart.
    let body = json!({ "name": "Kuchnia", "currency": "PLN" });
    refused(
        &counter.instance().post("warehouse", "/v1/carts", &body).await,
        403,
        "role_not_allowed",
    );
    refused(
        &counter.instance().post("sales", "/v1/carts", &body).await,
        422,
        "cart.company_missing",
    );
    let other = json!({ "name": "K", "currency": "PLN", "company": counter.shop.hotel });
    assert_eq!(counter.instance().post("Ewa", "/v1/carts", &other).await.status, 404);
}

#[tokio::test]
async fn changes_of_different_lines_at_once_all_count() {
    let counter = Counter::open().await;
    let cart = counter.cart("Ewa", true).await;
    let rows = json!([{ "sku": "COFFEE", "quantity": "1" }, { "sku": "COURSE", "quantity": "1" }]);
    counter.add("Ewa", &cart, rows).await;
    let change = |who: &'static str, line: u32, quantity: u32| {
        let body = json!({ "lines": [{ "line": line, "quantity": quantity.to_string() }] });
        counter.command(who, &cart, "lines/change", body)
    };
    let mut all = Vec::new();
    for quantity in 2..=9 {
        all.push(change("Ewa", 1, quantity));
        all.push(change("Jan", 2, quantity));
    }
    for answer in futures::future::join_all(all).await {
        done(answer);
    }
    let added =
        (0..8).map(|_| counter.add("Jan", &cart, json!([{ "sku": "RICE", "quantity": "6" }])));
    futures::future::join_all(added).await;
    let lines = counter.lines("Ewa", &cart).await;
    assert_eq!(lines[2], "3 RICE 48");
    done(change("Ewa", 1, 3).await);
    done(change("Jan", 2, 4).await);
    assert_eq!(counter.lines("Jan", &cart).await, ["1 COFFEE 3", "2 COURSE 4", "3 RICE 48"]);
    let missing =
        counter.command("Jan", &cart, "lines/change", json!({ "lines": [{ "line": 9 }] }));
    refused(&missing.await, 409, "purchase_lines.no_such_line");
}

#[tokio::test]
async fn carts_are_copied_merged_and_made_into_other_things() {
    let counter = Counter::open().await;
    let first = counter.cart("Ewa", true).await;
    let rows = json!([{ "sku": "COFFEE", "quantity": "2" }, { "sku": "RICE", "quantity": "6" },
        { "sku": "COURSE", "quantity": "1", "note": "Dla Jana" }]);
    counter.add("Ewa", &first, rows).await;
    let copy = created(counter.command("Jan", &first, "copy", json!({ "name": "Kopia" })).await);
    assert_eq!(counter.lines("Jan", &copy).await, counter.lines("Ewa", &first).await);
    assert_eq!(counter.instance().get("Ewa", &format!("/v1/carts/{copy}")).await.status, 404);
    done(counter.command("Jan", &copy, "merge", json!({ "into": first })).await);
    let merged = ["1 COFFEE 4", "2 RICE 12", "3 COURSE 2"];
    assert_eq!(counter.lines("Ewa", &first).await, merged);
    refused(&counter.command("Jan", &copy, "clear", json!({})).await, 409, "cart.closed");
    let itself = counter.command("Ewa", &first, "merge", json!({ "into": first })).await;
    refused(&itself, 422, "cart.merged_with_itself");
    let euro = json!({ "name": "Euro", "currency": "EUR" });
    let euro = created(counter.instance().post("Ewa", "/v1/carts", &euro).await);
    let other = counter.command("Ewa", &first, "merge", json!({ "into": euro })).await;
    refused(&other, 409, "cart.other_company_or_currency");

    let list =
        created(counter.command("Ewa", &first, "order-list", json!({ "name": "Lista" })).await);
    let lines = counter.instance().all("Ewa", &format!("/v1/order-lists/{list}/lines")).await;
    assert_eq!(lines.len(), 3);
    let part = counter.command("Ewa", &first, "order", json!({ "lines": [2] })).await;
    let order = created(part);
    let left = ["1 COFFEE 4", "3 COURSE 2"];
    assert_eq!(counter.lines("Ewa", &first).await, left);
    counter.instance().settled().await;
    let order = counter.instance().get("Jan", &format!("/v1/orders/{order}")).await.body;
    assert_eq!(order["lines"].as_array().unwrap().len(), 1);
    let again = counter.command("Ewa", &first, "order", json!({ "lines": [2] })).await;
    refused(&again, 409, "purchase_lines.no_such_line");
    let asked = json!({ "message": "Prosimy o ceny" });
    let request = created(counter.command("Ewa", &first, "quotation-request", asked).await);
    counter.instance().settled().await;
    let request = counter.instance().get("Ewa", &format!("/v1/quotation-requests/{request}")).await;
    assert_eq!(request.body["lines"][1]["note"], "Dla Jana");
    let cart = counter.instance().get("Ewa", &format!("/v1/carts/{first}")).await.body;
    assert_eq!(cart["status"], "requested");
    let empty = counter.cart("Ewa", true).await;
    refused(&counter.command("Ewa", &empty, "order", json!({})).await, 409, "cart.empty");
    done(counter.command("Ewa", &empty, "discard", json!({})).await);
    done(counter.command("Ewa", &empty, "discard", json!({})).await);
}

#[tokio::test]
async fn five_thousand_rows_are_one_command() {
    let counter = Counter::open().await;
    let cart = counter.cart("Ewa", true).await;
    let row = |number: usize| json!({ "sku": "COURSE", "quantity": "1", "note": format!("Osoba {number}") });
    let rows: Vec<Value> = (1..=5_000).map(row).collect();
    let too_many: Vec<Value> = (1..=5_001).map(row).collect();
    let path = format!("/v1/carts/{cart}/lines");
    let answer = counter.instance().post("Ewa", &path, &json!({ "rows": too_many })).await;
    assert_eq!(answer.status, 422, "{answer:?}");
    let answer = counter.add("Ewa", &cart, json!(rows)).await;
    check_count(&answer, 5_000);
    assert_eq!(answer["accepted"], 5_000);
    let one_more = json!({ "rows": [{ "sku": "COFFEE", "quantity": "1" }] });
    let answer = counter.instance().post("Ewa", &path, &one_more).await;
    refused(&answer, 422, "purchase_lines.too_many");
    let change = json!({ "lines": [{ "line": 4_321, "quantity": "2" }] });
    let changed = counter.command("Ewa", &cart, "lines/change", change).await;
    done(changed);
    let events = counter.instance().all("admin", &format!("/v1/history/{cart}")).await;
    let last = events.last().unwrap();
    assert_eq!(last["event_type"], "cart.lines_changed");
    assert!(last.to_string().len() < 2_000, "one line is a small event: {last}");
    let head = counter.instance().get("Ewa", &format!("/v1/carts/{cart}")).await.body;
    assert_eq!(head["line_count"], 5_000);
    let order = counter.command("Ewa", &cart, "order", json!({})).await;
    refused(&order, 422, "lines.count_invalid");
    done(counter.command("Ewa", &cart, "clear", json!({})).await);
    assert_eq!(counter.lines("Ewa", &cart).await, [""; 0]);
}

#[tokio::test]
async fn rows_come_as_text_sheets_and_orders_of_ubl() {
    let counter = Counter::open().await;
    let cart = counter.cart("Ewa", true).await;
    let path = format!("/v1/carts/{cart}/lines");
    let send = |media: &'static str, body: &'static str| {
        counter.instance().send("Ewa", &path, media, body.to_owned())
    };
    let text = send("text/plain", "COFFEE\t2\nNIC\t1\nRICE\t6").await.body;
    check_count(&text, 3);
    assert_eq!(
        (&text["accepted"], &text["rows"][1]["code"]),
        (&json!(2), &json!("row.product_unknown"))
    );
    let sheet = send("text/csv; charset=utf-8", "Ilość;Indeks;Uwagi\n1,0;COFFEE;\n6;RICE;\n").await;
    check_count(&sheet.body, 2);
    assert_eq!(counter.lines("Ewa", &cart).await, ["1 COFFEE 3", "2 RICE 12"]);
    let order = "<Order xmlns:cac=\"a\" xmlns:cbc=\"b\"><cac:OrderLine><cac:LineItem>\
        <cbc:Quantity unitCode=\"XCT\">1</cbc:Quantity><cac:Item><cac:StandardItemIdentification>\
        <cbc:ID schemeID=\"0160\">5901234123457</cbc:ID></cac:StandardItemIdentification></cac:Item>\
        </cac:LineItem></cac:OrderLine></Order>";
    let read = send("application/xml", order).await.body;
    check_count(&read, 1);
    assert_eq!(
        (&read["rows"][0]["sku"], &read["rows"][0]["quantity"]),
        (&json!("RICE"), &json!("18"))
    );
    refused(&send("application/xml", "<!DOCTYPE a><Order/>").await, 422, "ubl.malformed");
    refused(&send("text/plain", "").await, 422, "rows.count_invalid");
    refused(&send("image/png", "COFFEE 1").await, 415, "body.no_rows");
    let workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    refused(&send(workbook, "PK").await, 422, "sheet.malformed");
}

#[tokio::test]
async fn what_was_bought_is_bought_again() {
    let counter = Counter::open().await;
    let lines = json!([{ "sku": "COFFEE", "quantity": "4" }, { "sku": "RICE", "quantity": "12" }]);
    let order = counter.shop.confirmed_order(lines).await;
    let invoice = counter.shop.dispatch(json!({ "order": order })).await;
    let order_of_hotel =
        json!({ "currency": "PLN", "lines": [{ "sku": "COFFEE", "quantity": "1" }] });
    let others = created(counter.instance().post("hotel", "/v1/orders", &order_of_hotel).await);
    let cart = counter.cart("Ewa", true).await;
    let from = |body: Value| counter.command("Ewa", &cart, "lines/from", body);
    for source in [
        json!({ "kind": "order", "order": order }),
        json!({ "kind": "invoice", "invoice": invoice["id"] }),
    ] {
        let answer = from(source).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        check_count(&answer.body, 2);
        assert_eq!(answer.body["accepted"], 2);
    }
    assert_eq!(counter.lines("Ewa", &cart).await, ["1 COFFEE 8", "2 RICE 24"]);
    let foreign = from(json!({ "kind": "order", "order": others })).await;
    refused(&foreign, 422, "body.names_nothing");
    let list =
        created(counter.command("Ewa", &cart, "order-list", json!({ "name": "Lista" })).await);
    done(from(json!({ "kind": "order_list", "order_list": list })).await);
    let copy = created(counter.command("Ewa", &cart, "copy", json!({ "name": "Kopia" })).await);
    done(from(json!({ "kind": "cart", "cart": copy })).await);
    assert_eq!(counter.lines("Ewa", &cart).await, ["1 COFFEE 32", "2 RICE 96"]);

    let bought = counter.instance().all("Ewa", "/v1/bought-products").await;
    assert_eq!(bought.len(), 2);
    let coffee = counter.instance().all("Ewa", "/v1/bought-products?q=coff").await;
    assert_eq!(coffee.len(), 1);
    let coffee = &coffee[0];
    assert_eq!((&coffee["sku"], &coffee["times"]), (&json!("COFFEE"), &json!(1)));
    assert_eq!((&coffee["last_price"], &coffee["usual_quantity"]), (&json!("10.00"), &json!("4")));
    assert_eq!(counter.instance().all("hotel", "/v1/bought-products").await.len(), 0);
    refused(
        &counter.instance().get("sales", "/v1/bought-products").await,
        422,
        "bought_products.company_missing",
    );
    let path = format!("/v1/bought-products?company={}", counter.shop.grocer);
    assert_eq!(counter.instance().all("sales", &path).await.len(), 2);
    assert_eq!(counter.instance().get("hotel", &path).await.status, 404);
}
