//! Offer statistics, compared with values computed by hand.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    instance::Instance,
    journeys::{Shop, accept, created, done, refused, stamp},
    sales::negotiations::Table,
};

async fn statistics(instance: &Instance, who: &str, query: &str) -> Vec<Value> {
    let head = instance.settled().await;
    instance.all(who, &format!("/v1/offer-statistics?wait_for={head}&{query}")).await
}

/// What of statistics is about numbers of offers: offered, accepted, in part, rejected, withdrawn,
/// expired, open.
fn counts(of: &Value) -> [i64; 7] {
    ["offered", "accepted", "partly_accepted", "rejected", "withdrawn", "expired", "open"]
        .map(|name| of[name].as_i64().unwrap())
}

/// List value, price, discount and its percentage.
fn value(of: &Value) -> [&str; 4] {
    let amount = |name: &str| of[name]["amount"].as_str().unwrap();
    let percent = of["percent"].as_str().unwrap_or("none");
    [amount("listed"), amount("net"), amount("discount"), percent]
}

/// First and last price, what lies between them and its percentage.
fn agreed(of: &Value) -> [&str; 4] {
    let amount = |name: &str| of["agreed"][name]["amount"].as_str().unwrap();
    let percent = of["agreed"]["percent"].as_str().unwrap_or("none");
    [amount("first"), amount("last"), amount("conceded"), percent]
}

/// Tomasz and Beata sell; Maria is their manager.
struct Trade {
    shop: Shop,
    tomasz: String,
    beata: String,
}

impl Trade {
    async fn open() -> Self {
        let mut shop = Shop::open().await;
        let tea = json!({ "sku": "TEA", "name": "Herbata", "unit": "piece", "vat_rate": "8",
            "prices": [{ "currency": "EUR", "price": "1.00" }] });
        let tea = created(shop.instance.post("admin", "/v1/products", &tea).await);
        done(shop.instance.post("admin", &format!("/v1/products/{tea}/publish"), &json!({})).await);
        let tomasz = shop.instance.engage("Tomasz", "sales", None).await;
        let beata = shop.instance.engage("Beata", "sales", None).await;
        shop.instance.engage("Maria", "sales_manager", None).await;
        Self { shop, tomasz, beata }
    }

    async fn draft(&self, who: &str, company: &str, more: Value) -> String {
        created(self.shop.instance.post(who, "/v1/offers", &offered(company, more)).await)
    }

    async fn act(&self, who: &str, offer: &str, what: &str, body: &Value) {
        done(self.shop.instance.post(who, &format!("/v1/offers/{offer}/{what}"), body).await);
    }

    async fn sent(&self, who: &str, company: &str, more: Value) -> String {
        let offer = self.draft(who, company, more).await;
        self.act(who, &offer, "send", &json!({})).await;
        offer
    }

    async fn product(&self, sku: &str) -> Value {
        let found = self.shop.instance.get("admin", &format!("/v1/products?sku={sku}")).await.body;
        found["items"][0]["id"].clone()
    }
}

fn offered(company: &str, more: Value) -> Value {
    let mut offer = more;
    offer["company"] = json!(company);
    offer["valid_until"] = json!("2099-12-31");
    offer
}

/// Seven offers, of which six were sent.
async fn traded(trade: &Trade) {
    let Shop { instance, grocer, hotel } = &trade.shop;
    // Two revisions, the second accepted whole: 1,100.00 in the list, 1,050.00, then 1,000.00.
    let lines = |coffee: &str| {
        json!({ "lines": [{ "sku": "COFFEE", "quantity": "100", "unit_price": coffee },
            { "sku": "RICE", "quantity": "50" }] })
    };
    let whole = trade.sent("Tomasz", grocer, lines("9.50")).await;
    let next = offered(grocer, lines("9.00"));
    trade.act("Tomasz", &whole, "draft", &next).await;
    trade.act("Tomasz", &whole, "send", &json!({})).await;
    instance.settled().await;
    done(accept(instance, "grocer", &whole).await);
    // 300.00 in the list, 250.00; the rice alone is taken, and the course was optional.
    let part = json!({ "divisible": true, "lines": [{ "sku": "COFFEE", "quantity": "10" },
        { "sku": "RICE", "quantity": "100", "unit_price": "1.50" },
        { "sku": "COURSE", "quantity": "1", "choice": { "kind": "optional" } }] });
    let part = trade.sent("Tomasz", grocer, part).await;
    let mut rice = stamp(instance, &part).await;
    rice["lines"] = json!([{ "line": 2 }]);
    trade.act("grocer", &part, "accept", &rice).await;
    // 30.00 in the list, 29.97.
    let no = json!({ "lines": [{ "sku": "COFFEE", "quantity": "3", "unit_price": "9.99" }] });
    let no = trade.sent("Tomasz", hotel, no).await;
    trade.act("hotel", &no, "reject", &json!({ "reason": "Za drogo" })).await;
    // 20.00 that waits, 20.00 taken back, and what was never sent.
    let ten = json!({ "lines": [{ "sku": "RICE", "quantity": "10" }] });
    trade.sent("Tomasz", hotel, ten.clone()).await;
    let back = trade.sent("Beata", grocer, ten.clone()).await;
    trade.act("Beata", &back, "withdraw", &json!({})).await;
    let never = trade.draft("Beata", grocer, ten).await;
    trade.act("Beata", &never, "withdraw", &json!({})).await;
    // 10.00 euros in the list, 9.00.
    let tea = json!({ "currency": "EUR",
        "lines": [{ "sku": "TEA", "quantity": "10", "unit_price": "0.90" }] });
    let tea = trade.sent("Beata", hotel, tea).await;
    done(accept(instance, "hotel", &tea).await);
}

#[tokio::test]
async fn offers_are_reckoned_per_representative_customer_and_product() {
    let trade = Trade::open().await;
    traded(&trade).await;
    let Shop { instance, grocer, hotel } = &trade.shop;

    let people = statistics(instance, "Maria", "by=representative").await;
    assert_eq!(people.len(), 2, "{people:?}");
    let [tomasz, beata] = [&people[0], &people[1]];
    assert_eq!((&tomasz["id"], &beata["id"]), (&json!(trade.tomasz), &json!(trade.beata)));
    assert_eq!(counts(tomasz), [4, 1, 1, 1, 0, 0, 1]);
    assert_eq!(tomasz["won"], json!({ "count": 2, "of": 3, "percent": "66.7" }));
    let zlotys = &tomasz["values"][0];
    assert_eq!(tomasz["values"].as_array().unwrap().len(), 1);
    assert_eq!(value(&zlotys["offered"]), ["1450.00", "1299.97", "150.03", "10.3"]);
    assert_eq!(value(&zlotys["won"]), ["1300.00", "1150.00", "150.00", "11.5"]);
    assert_eq!(agreed(zlotys), ["1300.00", "1250.00", "50.00", "3.8"]);
    assert_eq!(counts(beata), [2, 1, 0, 0, 1, 0, 0]);
    assert_eq!(beata["won"], json!({ "count": 1, "of": 2, "percent": "50.0" }));
    let [euros, zlotys] = [&beata["values"][0], &beata["values"][1]];
    assert_eq!((&euros["currency"], &zlotys["currency"]), (&json!("EUR"), &json!("PLN")));
    assert_eq!(value(&euros["offered"]), ["10.00", "9.00", "1.00", "10.0"]);
    assert_eq!(value(&euros["won"]), value(&euros["offered"]));
    assert_eq!(agreed(euros), ["9.00", "9.00", "0.00", "0.0"]);
    assert_eq!(value(&zlotys["offered"]), ["20.00", "20.00", "0.00", "0.0"]);
    assert_eq!(value(&zlotys["won"]), ["0.00", "0.00", "0.00", "none"]);
    assert_eq!(zlotys["agreed"], Value::Null);

    let companies = statistics(instance, "Maria", "by=customer").await;
    let company = |id: &str| companies.iter().find(|company| company["id"] == json!(id)).unwrap();
    assert_eq!(counts(company(grocer)), [3, 1, 1, 0, 1, 0, 0]);
    assert_eq!(counts(company(hotel)), [3, 1, 0, 1, 0, 0, 1]);

    let products = statistics(instance, "Maria", "by=product").await;
    let [rice, coffee] = [&products[0], &products[1]];
    assert_eq!(rice["id"], trade.product("RICE").await);
    assert_eq!(counts(rice), [4, 1, 1, 0, 1, 0, 1]);
    assert_eq!(rice["won"], json!({ "count": 2, "of": 3, "percent": "66.7" }));
    assert_eq!(coffee["id"], trade.product("COFFEE").await);
    assert_eq!(counts(coffee), [3, 1, 1, 1, 0, 0, 0]);
    // One company took all but the coffee.
    assert_eq!(coffee["won"], json!({ "count": 1, "of": 3, "percent": "33.3" }));
    assert_eq!(value(&coffee["values"][0]["offered"]), ["1130.00", "1029.97", "100.03", "8.9"]);
    assert_eq!(value(&coffee["values"][0]["won"]), ["1000.00", "900.00", "100.00", "10.0"]);
    assert_eq!(agreed(&coffee["values"][0]), ["950.00", "900.00", "50.00", "5.3"]);
    let course = trade.product("COURSE").await;
    let course = products.iter().find(|product| product["id"] == course).unwrap();
    assert_eq!(course["won"], json!({ "count": 0, "of": 1, "percent": "0.0" }));
    assert_eq!(value(&course["values"][0]["offered"]), ["0.00", "0.00", "0.00", "none"]);
    let compared = instance.run(&["projections", "compare", "all"]);
    assert!(compared.lines().all(|line| line.trim_end().ends_with("equal")), "{compared}");

    who_sees_what(&trade).await;
}

async fn who_sees_what(trade: &Trade) {
    let Shop { instance, hotel, .. } = &trade.shop;
    let offers = async |who: &str, query: &str| {
        let found = statistics(instance, who, query).await;
        found.iter().map(|of| of["offered"].as_i64().unwrap()).sum::<i64>()
    };
    for (who, query, offered) in [
        ("Maria", "by=customer", 6),
        ("admin", "by=customer", 6),
        ("Tomasz", "by=customer", 4),
        ("Beata", "by=representative", 2),
        ("Maria", &format!("representative={}", trade.beata), 2),
        ("Maria", &format!("by=product&company={hotel}"), 3),
        ("Maria", "currency=EUR", 1),
        ("Maria", "from=2020-01-01&to=2020-12-31", 0),
        ("Maria", "from=2020-01-01&to=2098-12-31", 6),
    ] {
        assert_eq!(offers(who, query).await, offered, "{who}: {query}");
    }
    let mut seen = Vec::new();
    let mut path = "/v1/offer-statistics?by=product&limit=1".to_owned();
    loop {
        let page = instance.get("Maria", &path).await.body;
        seen.push(page["items"][0].clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/offer-statistics?by=product&limit=1&cursor={cursor}");
    }
    assert_eq!(seen, statistics(instance, "Maria", "by=product").await);
    for (who, query, status, code) in [
        ("grocer", "", 403, "role_not_allowed"),
        ("sales", "", 422, "offer_statistics.needs_employee"),
        ("Tomasz", &format!("representative={}", trade.beata), 403, "offer_statistics.own_only"),
        ("Maria", "from=2026-02-01&to=2026-01-01", 400, "query.invalid"),
    ] {
        refused(&instance.get(who, &format!("/v1/offer-statistics?{query}")).await, status, code);
    }
}

/// When the event of a type was recorded that is the first of its kind in a stream.
async fn when(instance: &Instance, id: &str, event_type: &str) -> Timestamp {
    let history = instance.get("admin", &format!("/v1/history/{id}")).await.body;
    let events = history["items"].as_array().unwrap();
    let event = events.iter().find(|event| event["event_type"] == event_type).unwrap();
    event["recorded_at"].as_str().unwrap().parse().unwrap()
}

/// Whole seconds that lie between two events.
async fn between(instance: &Instance, from: (&str, &str), to: (&str, &str)) -> Value {
    let (from, to) = (when(instance, from.0, from.1).await, when(instance, to.0, to.1).await);
    json!(to.duration_since(from).as_secs())
}

#[tokio::test]
async fn answers_take_their_time() {
    let table = Table::laid().await;
    let instance = table.instance();
    let tomasz = async || statistics(instance, "Tomasz", "").await.remove(0);
    let asked = (table.request.as_str(), "quotation_request.requested");
    let sent = (table.offer.as_str(), "offer.sent");
    let first = tomasz().await;
    assert_eq!(first["seconds_to_offer"], between(instance, asked, sent).await);
    assert_eq!(first["seconds_to_answer"], Value::Null);
    // What Anna has not agreed to is no answer yet; what she agrees to is.
    let say = json!({ "lines": [{ "line": 1, "unit_price": "8.50" }] });
    let negotiation = table.open("Ewa", say).await;
    assert_eq!(tomasz().await["seconds_to_answer"], Value::Null);
    done(table.answer("Anna", &negotiation, "approve").await);
    let answer = (negotiation.as_str(), "negotiation.proposed");
    let taken = between(instance, sent, answer).await;
    assert_eq!(tomasz().await["seconds_to_answer"], taken);
    // Saying yes later is no first answer.
    done(accept(instance, "Jan", &table.offer).await);
    let last = tomasz().await;
    assert_eq!((&last["seconds_to_answer"], &last["accepted"]), (&taken, &json!(1)));
    // A second offer to the same request answers it no more.
    let again = json!({
        "from": { "kind": "request", "request": table.request }, "valid_until": "2099-12-31",
        "lines": [{ "sku": "COFFEE", "quantity": "100" }],
    });
    let again = created(instance.post("Tomasz", "/v1/offers", &again).await);
    done(instance.post("Tomasz", &format!("/v1/offers/{again}/send"), &json!({})).await);
    let both = tomasz().await;
    assert_eq!(
        (&both["offered"], &both["seconds_to_offer"]),
        (&json!(2), &first["seconds_to_offer"])
    );
}
