//! Quotation requests: lines, status, and who sees them.

use std::collections::BTreeMap;

use domain::{OfferId, QuotationRequest, quotation_request::Command};
use event_log::{Envelope, EventLog, LogConfig};
use futures::FutureExt;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    instance::{Answer, Instance},
    journeys::{Shop, created, done, refused},
};

pub(crate) const PLACE: &str = "00000000-0000-7000-8000-0000000000ad";
pub(crate) const NOWHERE: &str = "00000000-0000-7000-8000-000000000bad";

/// A shop with people who sell, by their names.
pub(crate) struct Sales {
    pub(crate) shop: Shop,
    pub(crate) ids: BTreeMap<&'static str, String>,
}

impl Sales {
    pub(crate) async fn open() -> Self {
        let mut shop = Shop::open().await;
        shop.instance.make_key("manager", "sales_manager", None).await;
        let mut ids = BTreeMap::new();
        for name in ["Adam", "Beata", "Celina", "Dorota"] {
            ids.insert(name, shop.instance.engage(name, "sales", None).await);
        }
        let clerk = shop.instance.engage("Zenon", "warehouse", None).await;
        ids.insert("Zenon", clerk);
        Self { shop, ids }
    }

    pub(crate) fn instance(&self) -> &Instance {
        &self.shop.instance
    }

    /// Their ids.
    pub(crate) fn of(&self, names: &[&str]) -> Vec<String> {
        names.iter().map(|name| self.ids[name].clone()).collect()
    }

    /// A territory of those named.
    pub(crate) fn territory(&self, name: &str, what: Value, people: &[&str]) -> Value {
        let mut territory = what;
        territory["name"] = json!(name);
        territory["representatives"] = json!(self.of(people));
        territory
    }

    pub(crate) async fn draw(&self, territories: Value, everywhere: &[&str]) {
        let map = json!({ "territories": territories, "everywhere": self.of(everywhere) });
        done(self.instance().post("manager", "/v1/territories", &map).await);
    }

    pub(crate) async fn act(&self, company: &str, what: &str, body: Value) {
        let path = format!("/v1/companies/{company}/{what}");
        done(self.instance().post("sales", &path, &body).await);
    }

    pub(crate) async fn ask(&self, who: &str, body: Value) -> String {
        created(self.instance().post(who, "/v1/quotation-requests", &body).await)
    }

    pub(crate) async fn command(
        &self,
        who: &str,
        request: &str,
        what: &str,
        body: Value,
    ) -> Answer {
        let path = format!("/v1/quotation-requests/{request}/{what}");
        self.instance().post(who, &path, &body).await
    }

    pub(crate) async fn shown(&self, who: &str, request: &str) -> Value {
        let head = self.instance().settled().await;
        let path = format!("/v1/quotation-requests/{request}?wait_for={head}");
        let shown = self.instance().get(who, &path).await;
        assert_eq!(shown.status, 200, "{shown:?}");
        shown.body
    }

    /// Who looks after a request, by name.
    pub(crate) async fn holder(&self, request: &str) -> String {
        let shown = self.shown("sales", request).await;
        shown["representative"]["name"].as_str().unwrap_or("nobody").to_owned()
    }

    /// Asks for coffee, and says who got to look after that.
    pub(crate) async fn ask_for_coffee(&self, who: &str) -> String {
        let request = self.ask(who, coffee()).await;
        self.holder(&request).await
    }

    pub(crate) async fn ids(&self, who: &str, query: &str) -> Vec<String> {
        let head = self.instance().settled().await;
        let path = format!("/v1/quotation-requests?wait_for={head}&{query}");
        let items = self.instance().all(who, &path).await;
        items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    }
}

pub(crate) fn coffee() -> Value {
    json!({ "currency": "PLN", "lines": [{ "sku": "COFFEE", "quantity": "100" }] })
}

pub(crate) fn address(postal_code: &str) -> Value {
    json!({ "street": "Długa 1", "postal_code": postal_code, "city": "Gdańsk", "country": "PL" })
}

#[tokio::test]
async fn a_request_says_all_that_was_asked_once() {
    let mut sales = Sales::open().await;
    let hotel = sales.shop.hotel.clone();
    let ewa = sales.shop.instance.engage("Ewa", "purchaser", Some(&hotel)).await;
    sales.draw(json!([sales.territory("Wszyscy", json!({}), &["Adam"])]), &[]).await;
    let place = json!({ "id": PLACE, "label": "Rampa", "address": address("80-001") });
    sales.act(&hotel, "delivery-addresses", place).await;
    let codes = json!({ "codes": [{ "code": "KAWA-1", "sku": "COFFEE" }] });
    sales.act(&hotel, "product-codes", codes).await;

    let body = json!({
        "currency": "PLN",
        "lines": [
            { "code": "KAWA-1", "quantity": "240", "unit_price": "8.50",
                "delivery_on": "2099-01-15", "note": "Świeżo palona" },
            { "wanted": "Kubki z naszym znakiem", "quantity": "500" },
        ],
        "message": "Dzień dobry,\r\nprosimy o ceny.",
        "answer_by": "2099-01-01",
        "delivery_address": PLACE,
        "attachments": [{ "name": "Znak", "url": "https://pliki.example.pl/znak.pdf" }],
    });
    let post =
        |body| sales.instance().post_with_key("Ewa", "/v1/quotation-requests", "rfq-1", body);
    let (first, again, other) = (post(&body).await, post(&body).await, post(&coffee()).await);
    assert_eq!(first.body, again.body);
    refused(&other, 422, "idempotency_key.reused");
    let request = created(first);
    assert_eq!(sales.ids("Ewa", "").await, [request.as_str()]);
    let shown = sales.shown("Ewa", &request).await;
    let product = sales.instance().get("admin", "/v1/products?sku=COFFEE").await.body;
    let what = json!({ "kind": "product", "product": product["items"][0]["id"], "sku": "COFFEE",
        "name": "COFFEE" });
    for (field, value) in [
        ("company", json!(hotel)),
        ("status", json!("assigned")),
        ("requested_by", json!(ewa)),
        ("currency", json!("PLN")),
        ("message", json!("Dzień dobry,\nprosimy o ceny.")),
        ("answer_by", json!("2099-01-01")),
        ("delivery_address", json!(PLACE)),
        ("attachments", body["attachments"].clone()),
        ("offers", json!([])),
        (
            "lines",
            json!([
                { "what": what, "quantity": "240", "unit_price": "8.50",
                    "delivery_on": "2099-01-15", "note": "Świeżo palona" },
                { "what": { "kind": "described", "wanted": "Kubki z naszym znakiem" },
                    "quantity": "500" },
            ]),
        ),
    ] {
        assert_eq!(shown[field], value, "{field}: {shown}");
    }
    assert!(shown["requested_at"].is_string() && shown["assigned_at"].is_string(), "{shown}");
    assert!(shown["answered_at"].is_null() && shown["closed_at"].is_null(), "{shown}");
}

/// Three requests of the hotel, in the order in which they were made: answered with two offers,
/// declined, and withdrawn.
async fn ended(sales: &Sales) -> [String; 3] {
    let mut requests = Vec::new();
    for who in ["Ewa", "hotel", "hotel"] {
        requests.push(sales.ask(who, coffee()).await);
    }
    let [answered, declined, withdrawn] = <[String; 3]>::try_from(requests).unwrap();
    let offers = [OfferId(Uuid::now_v7()), OfferId(Uuid::now_v7())];
    for offer in [offers[0], offers[0], offers[1]] {
        answer(sales.instance(), &answered, offer).await;
    }
    let shown = sales.shown("Ewa", &answered).await;
    assert_eq!((&shown["status"], &shown["offers"]), (&json!("answered"), &json!(offers)));
    assert!(shown["answered_at"].is_string(), "{shown}");
    // Saying so twice is saying so.
    for _ in 0..2 {
        let no = json!({ "reason": "Nie sprzedajemy tyle" });
        done(sales.command("Adam", &declined, "decline", no).await);
        let no = json!({ "reason": "Mamy już" });
        done(sales.command("hotel", &withdrawn, "withdraw", no).await);
    }
    [answered, declined, withdrawn]
}

#[tokio::test]
async fn a_request_ends_once_and_is_found_by_those_whose_it_is() {
    let mut sales = Sales::open().await;
    let (hotel, grocer) = (sales.shop.hotel.clone(), sales.shop.grocer.clone());
    sales.shop.instance.engage("Ewa", "purchaser", Some(&hotel)).await;
    sales.shop.instance.make_key("integrator", "integrator", None).await;
    sales.draw(json!([sales.territory("Wszyscy", json!({}), &["Adam"])]), &[]).await;
    let [answered, declined, withdrawn] = ended(&sales).await;
    for (request, status, reason) in
        [(&declined, "declined", "Nie sprzedajemy tyle"), (&withdrawn, "withdrawn", "Mamy już")]
    {
        let shown = sales.shown("hotel", request).await;
        assert_eq!((&shown["status"], &shown["reason"]), (&json!(status), &json!(reason)));
        assert!(shown["closed_at"].is_string(), "{shown}");
    }
    for (who, request, what, code) in [
        ("Ewa", &answered, "withdraw", "quotation_request.already_answered"),
        ("Adam", &answered, "decline", "quotation_request.already_answered"),
        ("hotel", &declined, "withdraw", "quotation_request.closed"),
        ("Adam", &withdrawn, "decline", "quotation_request.closed"),
    ] {
        let refusal = sales.command(who, request, what, json!({ "reason": "Nie" })).await;
        refused(&refusal, 409, code);
    }

    // Newest first.
    let all = [&withdrawn, &declined, &answered];
    for (who, query, then) in [
        ("hotel", String::new(), &all[..]),
        ("integrator", String::new(), &all),
        ("sales", String::new(), &all),
        ("sales", "status=declined".to_owned(), &[&declined]),
        ("sales", format!("company={hotel}&status=answered"), &[&answered]),
        ("sales", format!("company={grocer}"), &[]),
        ("sales", format!("representative={}", sales.ids["Beata"]), &[]),
        ("sales", format!("representative={}", sales.ids["Adam"]), &all),
        ("Ewa", "mine=true".to_owned(), &[&answered]),
        ("Adam", "mine=true".to_owned(), &all),
        ("Beata", "mine=true".to_owned(), &[]),
        ("Beata", "mine=false".to_owned(), &all),
        ("grocer", String::new(), &[]),
    ] {
        assert_eq!(sales.ids(who, &query).await.iter().collect::<Vec<_>>(), then, "{who} {query}");
    }
    for (who, query, status, code) in [
        ("hotel", "mine=true".to_owned(), 422, "quotation_request.needs_employee"),
        ("hotel", "status=lost".to_owned(), 400, "query.invalid"),
        ("Adam", format!("mine=true&representative={}", sales.ids["Beata"]), 400, "query.invalid"),
        ("grocer", format!("company={hotel}"), 404, "not_found"),
    ] {
        let found = sales.instance().get(who, &format!("/v1/quotation-requests?{query}")).await;
        refused(&found, status, code);
    }

    // To another company there is nothing of it.
    let missing =
        sales.instance().get("grocer", &format!("/v1/quotation-requests/{NOWHERE}")).await;
    let hidden =
        sales.instance().get("grocer", &format!("/v1/quotation-requests/{answered}")).await;
    assert_eq!((hidden.status, &hidden.body), (404, &missing.body));
    for request in [declined.as_str(), NOWHERE] {
        let theirs = sales.command("grocer", request, "withdraw", json!({})).await;
        refused(&theirs, 404, "not_found");
    }
    let mut for_them = coffee();
    for_them["company"] = json!(hotel);
    let asked = sales.instance().post("grocer", "/v1/quotation-requests", &for_them).await;
    refused(&asked, 404, "not_found");
}

/// Lets an offer answer a request, as sending one does.
async fn answer(instance: &Instance, request: &str, offer: OfferId) {
    let url = instance.run_file()["database_url"].as_str().unwrap().to_owned();
    let log = EventLog::open(&LogConfig::new(url)).await.unwrap();
    let request: Uuid = request.parse().unwrap();
    let command_id = Uuid::now_v7();
    let envelope = Envelope {
        command_id,
        remember: None,
        actor: "test".to_owned(),
        correlation_id: command_id,
        causation_id: None,
    };
    let answered = log.execute(&envelope, |work| {
        async move {
            let asked = work.load::<QuotationRequest>(request).await.unwrap().open().unwrap();
            assert_eq!(asked.inquiry.lines.len(), 1);
            work.decide::<QuotationRequest>(request, Command::Answer { offer })
                .await
                .map_err(|error| error.to_string())
        }
        .boxed()
    });
    answered.await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_asked_is_said_field_by_field() {
    let sales = Sales::open().await;
    let rice =
        sales.instance().get("admin", "/v1/products?sku=RICE").await.body["items"][0].clone();
    let deny = json!({ "audience": { "kind": "company", "company": sales.shop.hotel },
        "selection": { "kind": "product", "product": rice["id"] } });
    done(sales.instance().post("manager", "/v1/assortments/deny", &deny).await);
    let before = sales.instance().settled().await;
    for (body, code, pointer) in rubbish() {
        let shown: String = body.to_string().chars().take(200).collect();
        let answer = sales.instance().post("hotel", "/v1/quotation-requests", &body).await;
        refused(&answer, 422, code);
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{shown}: {answer:?}");
    }
    // What is hidden from a company is no secret of the seller's.
    let entered = json!({ "company": sales.shop.hotel, "currency": "PLN",
        "lines": [{ "sku": "RICE", "quantity": "1" }] });
    let outside = sales.instance().post("sales", "/v1/quotation-requests", &entered).await;
    refused(&outside, 409, "assortment.outside");
    let nobodys = sales.instance().post("sales", "/v1/quotation-requests", &coffee()).await;
    refused(&nobodys, 422, "quotation_request.company_missing");
    for (who, what, body) in [
        ("manager", "assign", json!({ "representative": sales.ids["Adam"] })),
        ("Adam", "take", json!({})),
        ("Adam", "decline", json!({ "reason": "Nie" })),
    ] {
        let missing = sales.command(who, NOWHERE, what, body).await;
        refused(&missing, 404, "quotation_request.unrequested");
    }
    let unreasoned = sales.command("Adam", NOWHERE, "decline", json!({})).await;
    refused(&unreasoned, 422, "body.invalid");
    assert_eq!(sales.instance().settled().await, before, "rubbish leaves no trace");

    // Who buys nothing is offered nothing.
    let path = format!("/v1/companies/{}/suspend", sales.shop.hotel);
    done(sales.instance().post("accounting", &path, &json!({ "reason": "overdue" })).await);
    let suspended = sales.instance().post("hotel", "/v1/quotation-requests", &coffee()).await;
    refused(&suspended, 409, "company.suspended");
}

/// What nobody can ask, each with its answer's code and pointer. Rice is hidden from the asker.
fn rubbish() -> Vec<(Value, &'static str, &'static str)> {
    let with = |field: &str, value: Value| {
        let mut body = coffee();
        body[field] = value;
        body
    };
    let line = |line: Value| with("lines", json!([{ "sku": "COFFEE", "quantity": "1" }, line]));
    let lines = |count: usize| json!(vec![json!({ "sku": "COFFEE", "quantity": "1" }); count]);
    let file = |url: &str| json!([{ "name": "a", "url": url }]);
    vec![
        (with("lines", json!([])), "lines.count_invalid", "/lines"),
        (with("lines", lines(501)), "lines.count_invalid", "/lines"),
        (line(json!({ "quantity": "1" })), "lines.invalid", "/lines/1/sku"),
        (
            line(json!({ "sku": "COFFEE", "wanted": "x", "quantity": "1" })),
            "lines.invalid",
            "/lines/1/sku",
        ),
        (line(json!({ "sku": "NONE", "quantity": "1" })), "lines.invalid", "/lines/1/sku"),
        (line(json!({ "sku": "RICE", "quantity": "1" })), "lines.invalid", "/lines/1/sku"),
        (line(json!({ "code": "NONE", "quantity": "1" })), "lines.invalid", "/lines/1/code"),
        (
            line(json!({ "sku": "COFFEE", "quantity": "0.5" })),
            "product.indivisible",
            "/lines/1/quantity",
        ),
        (
            line(json!({ "sku": "COFFEE", "quantity": "1", "packaging": "carton" })),
            "product.not_packed_so",
            "/lines/1/packaging",
        ),
        (
            line(json!({ "wanted": "x", "quantity": "1", "packaging": "carton" })),
            "lines.invalid",
            "/lines/1/packaging",
        ),
        (line(json!({ "wanted": "x", "quantity": "0" })), "body.invalid", "/lines/1/quantity"),
        (
            line(json!({ "wanted": "x", "quantity": "1", "unit_price": "-1" })),
            "body.invalid",
            "/lines/1/unit_price",
        ),
        (
            line(json!({ "wanted": "x", "quantity": "1", "delivery_on": "2020-01-01" })),
            "quotation_request.delivery_out_of_range",
            "/lines/1/delivery_on",
        ),
        (
            with("answer_by", json!("2020-01-01")),
            "quotation_request.answer_by_out_of_range",
            "/answer_by",
        ),
        (
            with("answer_by", json!("3000-01-01")),
            "quotation_request.answer_by_out_of_range",
            "/answer_by",
        ),
        (with("answer_by", json!("soon")), "body.invalid", "/answer_by"),
        (with("message", json!("ż".repeat(4_001))), "body.invalid", "/message"),
        (with("message", json!("\u{1b}[2J")), "body.invalid", "/message"),
        (with("delivery_address", json!(NOWHERE)), "body.names_nothing", "/delivery_address"),
        (with("attachments", file("http://example.pl/a")), "body.invalid", "/attachments/0/url"),
        (with("currency", json!("XXX")), "body.invalid", "/currency"),
    ]
}
