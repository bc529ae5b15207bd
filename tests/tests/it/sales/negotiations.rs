//! Negotiations: rounds, approvals on both sides, breaking off and resuming, and the view of each
//! side at past times.

use std::collections::BTreeSet;

use command_service::{Services, timers};
use event_log::{EventLog, LogConfig};
use futures::future::join_all;
use projections::Views;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use service_kit::{access::Access, clock::Clock, postgres};

use crate::{
    instance::Instance,
    journeys::{Shop, accept, asked, created, done, refused, stamp},
};

/// Tomasz sells and takes off at most 5 percent, Maria is his manager; Ewa buys for at most 500 at
/// once, and Anna is her superior.
pub(crate) struct Table {
    pub(crate) shop: Shop,
    pub(crate) request: String,
    pub(crate) offer: String,
}

impl Table {
    /// An offer of 100 coffees at 9.50 and 50 rice at 1.95, of lists at 10.00 and 2.00.
    pub(crate) async fn laid() -> Self {
        let mut shop = Shop::open().await;
        let grocer = shop.grocer.clone();
        let instance = &mut shop.instance;
        let tomasz = instance.engage("Tomasz", "sales", None).await;
        instance.engage("Maria", "sales_manager", None).await;
        let ewa = instance.engage("Ewa", "purchaser", Some(&grocer)).await;
        instance.engage("Anna", "approver", Some(&grocer)).await;
        instance.engage("Jan", "company_admin", Some(&grocer)).await;
        let most = json!({ "limit": { "kind": "up_to", "percent": "5" } });
        done(
            instance.post("admin", &format!("/v1/employees/{tomasz}/discount-limit"), &most).await,
        );
        let limit = json!({ "per": "order", "limit": { "amount": "500.00", "currency": "PLN" } });
        done(instance.post("admin", &format!("/v1/employees/{ewa}/limits"), &limit).await);
        // Ewa asks for prices, and Tomasz takes it on.
        let request = json!({ "currency": "PLN", "message": "Prosimy o ofertę",
            "lines": [{ "sku": "COFFEE", "quantity": "100", "unit_price": "8.50" },
                { "sku": "RICE", "quantity": "50" }] });
        let request = created(instance.post("Ewa", "/v1/quotation-requests", &request).await);
        let take = format!("/v1/quotation-requests/{request}/take");
        done(instance.post("Tomasz", &take, &json!({})).await);
        let offer = json!({
            "from": { "kind": "request", "request": request }, "valid_until": "2099-12-31",
            "lines": [
                { "sku": "COFFEE", "quantity": "100", "unit_price": "9.50", "unit_cost": "7.00" },
                { "sku": "RICE", "quantity": "50", "unit_price": "1.95", "unit_cost": "1.50" },
            ],
            "message": "Szanowni Państwo,\noferta jak w rozmowie.",
            "note": "Schodzimy najwyżej do 8.80",
        });
        let offer = created(instance.post("Tomasz", "/v1/offers", &offer).await);
        done(instance.post("Tomasz", &format!("/v1/offers/{offer}/send"), &json!({})).await);
        Self { shop, request, offer }
    }

    pub(crate) fn instance(&self) -> &Instance {
        &self.shop.instance
    }

    /// Opens a negotiation; returns its id.
    pub(crate) async fn open(&self, who: &str, say: Value) -> String {
        let path = format!("/v1/offers/{}/negotiate", self.offer);
        created(self.instance().post(who, &path, &json!({ "revision": 1, "say": say })).await)
    }

    pub(crate) async fn act(
        &self,
        who: &str,
        negotiation: &str,
        what: &str,
        body: Value,
    ) -> crate::instance::Answer {
        let path = format!("/v1/negotiations/{negotiation}/{what}");
        self.instance().post(who, &path, &body).await
    }

    /// What a superior says to the request that waits, having read it.
    pub(crate) async fn answer(
        &self,
        who: &str,
        negotiation: &str,
        what: &str,
    ) -> crate::instance::Answer {
        let read = asked(self.instance(), who, negotiation).await;
        self.act(who, negotiation, what, read).await
    }

    /// The negotiation as somebody sees it.
    async fn sees(&self, who: &str, negotiation: &str) -> Value {
        let seen = self.instance().get(who, &format!("/v1/negotiations/{negotiation}")).await;
        assert_eq!(seen.status, 200, "{seen:?}");
        seen.body
    }

    async fn offer(&self, who: &str) -> Value {
        let head = self.instance().settled().await;
        self.instance().get(who, &format!("/v1/offers/{}?wait_for={head}", self.offer)).await.body
    }
}

fn line(table: &Value, number: usize) -> &Value {
    &table["table"]["lines"][number - 1]["value"]
}

#[tokio::test]
async fn four_rounds_a_substitute_two_superiors_a_break_and_an_order() {
    let table = Table::laid().await;
    let instance = table.instance();
    let tea = json!({ "sku": "TEA", "name": "Herbata", "unit": "piece", "vat_rate": "8",
        "prices": [{ "currency": "PLN", "price": "4.00" }] });
    let tea = created(instance.post("admin", "/v1/products", &tea).await);
    done(instance.post("admin", &format!("/v1/products/{tea}/publish"), &json!({})).await);

    // Only the seller sees what it earns: 950.00 + 97.50, less 700.00 + 75.00.
    let sellers = table.offer("Tomasz").await;
    assert_eq!(sellers["margin"]["earned"]["amount"], "272.50", "{sellers}");
    assert_eq!(sellers["margin"]["percent"], "26.0");
    assert_eq!(sellers["inside"]["note"], "Schodzimy najwyżej do 8.80");
    let buyers = table.offer("Ewa").await;
    assert_eq!((&buyers["margin"], &buyers["inside"]), (&Value::Null, &Value::Null));
    assert_eq!(buyers["lines"][0]["listed"], "10.00");
    let request =
        instance.get("Ewa", &format!("/v1/quotation-requests/{}", table.request)).await.body;
    assert_eq!(request["status"], "answered", "{request}");
    let view = format!("/v1/offers/{}/view", table.offer);
    done(instance.post("Ewa", &view, &json!({ "revision": 1 })).await);

    let (negotiation, after_round_1) = two_rounds(&table).await;
    two_more(&table, &negotiation).await;
    an_order(&table, &negotiation).await;
    what_each_saw(&table, &negotiation, &after_round_1).await;
}

/// Returns the id of the negotiation and the position of the first round.
async fn two_rounds(table: &Table) -> (String, String) {
    let instance = table.instance();
    // Round 1: Ewa wants coffee cheaper and tea instead of rice. That is more than she may order
    // alone, so Anna must agree before the seller hears of it.
    let say = json!({
        "lines": [
            { "line": 1, "unit_price": "8.50", "deliver_on": "2099-05-01" },
            { "line": 2, "sku": "TEA", "quantity": "40", "unit_price": "3.60" },
        ],
        "message": "Za tę cenę bierzemy od razu.",
    });
    let negotiation = table.open("Ewa", say).await;
    assert_eq!(table.offer("Ewa").await["status"], "in_negotiation");
    let unheard = table.sees("Tomasz", &negotiation).await;
    assert_eq!((&unheard["rounds"], &unheard["awaiting_approval"]), (&json!(0), &Value::Null));
    assert_eq!(unheard["timeline"].as_array().unwrap().len(), 1, "{unheard}");
    let own = table.sees("Ewa", &negotiation).await;
    assert_eq!(own["awaiting_approval"]["request"]["reasons"][0]["per"], "order");
    let read = asked(instance, "Anna", &negotiation).await;
    let foreign = table.act("Maria", &negotiation, "approve", read).await;
    refused(&foreign, 409, "negotiation.not_awaiting_approval");
    let early = json!({ "round": 1, "say": { "agree": [1] } });
    let early = table.act("Tomasz", &negotiation, "propose", early).await;
    refused(&early, 409, "negotiation.not_your_turn");
    let head = instance.settled().await;
    let waiting = format!("/v1/approvals?mine=waiting&wait_for={head}");
    let inbox = instance.all("Anna", &waiting).await;
    assert_eq!((inbox.len(), &inbox[0]["id"]), (1, &json!(negotiation)));
    assert_eq!(instance.all("Maria", &waiting).await, Vec::<Value>::new());
    let whole = instance.get("Anna", &format!("/v1/approvals/{negotiation}")).await.body;
    assert_eq!(whole["round"]["message"], "Za tę cenę bierzemy od razu.", "{whole}");
    done(table.answer("Anna", &negotiation, "approve").await);
    let heard = table.sees("Tomasz", &negotiation).await;
    assert_eq!((&heard["rounds"], &heard["turn"]), (&json!(1), &json!("seller")));
    assert_eq!(line(&heard, 2)["proposed"]["line"]["sku"], "TEA");
    assert_eq!(heard["timeline"].as_array().unwrap().len(), 2, "{heard}");
    let after_round_1 = heard["timeline"][1]["at"].as_str().unwrap().to_owned();

    // Round 2: Tomasz agrees to the tea and offers coffee at 9.00: 10 percent each, which Maria
    // must stand behind.
    let say = json!({ "agree": [2], "lines": [{ "line": 1, "unit_price": "9.00" }] });
    let second = json!({ "round": 2, "say": say });
    done(table.act("Tomasz", &negotiation, "propose", second).await);
    let unheard = table.sees("Ewa", &negotiation).await;
    assert_eq!((&unheard["rounds"], &unheard["turn"]), (&json!(1), &json!("seller")));
    let own = asked(instance, "Maria", &negotiation).await;
    refused(
        &table.act("Tomasz", &negotiation, "approve", own.clone()).await,
        409,
        "approval.own_request",
    );
    done(table.act("Maria", &negotiation, "approve", own).await);
    let heard = table.sees("Ewa", &negotiation).await;
    assert_eq!((&heard["rounds"], &line(&heard, 2)["agreed"]), (&json!(2), &json!(true)));
    assert_eq!(line(&heard, 1)["proposed"]["line"]["unit_price"], "9.00");
    // The day on which it arrives stayed as Ewa wanted it.
    assert_eq!(line(&heard, 1)["proposed"]["line"]["deliver_on"], "2099-05-01");
    (negotiation, after_round_1)
}

async fn two_more(table: &Table, negotiation: &str) {
    // Round 3: Ewa tries to touch what was agreed, then breaks off, and Tomasz goes on.
    let touch = json!({ "round": 3, "say": { "lines": [{ "line": 2, "unit_price": "3.00" }] } });
    refused(&table.act("Ewa", negotiation, "propose", touch).await, 409, "negotiation.agreed");
    let no = json!({ "reason": "Za drogo" });
    done(table.act("Ewa", negotiation, "break-off", no).await);
    assert_eq!(table.offer("Ewa").await["status"], "open");
    let stopped = json!({ "round": 3, "say": { "agree": [1] } });
    refused(&table.act("Ewa", negotiation, "propose", stopped).await, 409, "negotiation.stopped");
    done(table.act("Tomasz", negotiation, "resume", json!({})).await);
    assert_eq!(table.offer("Ewa").await["status"], "in_negotiation");
    let say = json!({ "lines": [{ "line": 1, "unit_price": "8.80" }],
        "payment_term": { "kind": "net", "days": 30 } });
    done(table.act("Ewa", negotiation, "propose", json!({ "round": 3, "say": say })).await);
    done(table.answer("Anna", negotiation, "approve").await);

    // Round 4: Tomasz agrees to everything, and Maria stands behind it.
    let all = json!({ "round": 4 });
    done(table.act("Tomasz", negotiation, "agree", all).await);
    done(table.answer("Maria", negotiation, "approve").await);
    let agreed = table.sees("Ewa", negotiation).await;
    assert_eq!((&agreed["status"], &agreed["rounds"]), (&json!("agreed"), &json!(4)));
    let offer = table.offer("Ewa").await;
    assert_eq!((&offer["status"], &offer["revision"]), (&json!("open"), &json!(2)));
    assert_eq!(offer["payment_term"], json!({ "kind": "net", "days": 30 }));
}

/// What both agreed on is ordered, and nothing else.
async fn an_order(table: &Table, negotiation: &str) {
    let instance = table.instance();
    // What changed between two rounds, line by line.
    let path = format!("/v1/negotiations/{negotiation}/differences?from=1&to=2");
    let differences = instance.get("Ewa", &path).await.body;
    let items = differences["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{differences}");
    assert_eq!(items[0]["before"]["proposed"]["line"]["unit_price"], "8.50");
    assert_eq!(items[0]["after"]["proposed"]["line"]["unit_price"], "9.00");
    let beyond =
        instance.get("Ewa", &format!("/v1/negotiations/{negotiation}/differences?from=9")).await;
    refused(&beyond, 422, "query.invalid");

    // Anna's company accepts what both agreed on, and nothing else.
    let first = json!({ "revision": 1, "digest": stamp_of(instance, &table.offer, 0).await });
    let path = format!("/v1/offers/{}/accept", table.offer);
    let old = instance.post("Jan", &path, &first).await;
    refused(&old, 409, "offer.not_the_standing_revision");
    let mixed = json!({ "revision": 2, "digest": first["digest"] });
    refused(&instance.post("Jan", &path, &mixed).await, 409, "offer.other_content");
    done(accept(instance, "Jan", &table.offer).await);
    instance.settled().await;
    let orders = instance.all_whole("Jan", "/v1/orders").await;
    assert_eq!(orders.len(), 1);
    let sold = |line: &Value| {
        ["sku", "quantity", "unit_price"].map(|name| line[name].as_str().unwrap().to_owned())
    };
    let lines = orders[0]["lines"].as_array().unwrap();
    assert_eq!(sold(&lines[0]), ["COFFEE", "100", "8.80"]);
    assert_eq!(sold(&lines[1]), ["TEA", "40", "3.60"]);
    assert_eq!(lines[0]["deliver_on"], "2099-05-01");
    assert_eq!(orders[0]["payment_term"], json!({ "kind": "net", "days": 30 }));
    let source = json!({ "kind": "offer", "offer": table.offer, "revision": 2 });
    assert_eq!((&orders[0]["source"], &orders[0]["status"]), (&source, &json!("placed")));
}

/// History shows what each side saw at an instant.
async fn what_each_saw(table: &Table, negotiation: &str, at: &str) {
    let instance = table.instance();
    let then = |who: &'static str, eyes: &'static str| {
        let path = format!("/v1/negotiations/{negotiation}?at={at}{eyes}");
        async move { instance.get(who, &path).await }
    };
    let sellers = then("Tomasz", "").await.body;
    assert_eq!((&sellers["rounds"], &sellers["turn"]), (&json!(1), &json!("seller")));
    assert_eq!(sellers["timeline"].as_array().unwrap().len(), 2);
    let buyers = then("auditor", "&as=buyer").await.body;
    assert_eq!(buyers["timeline"].as_array().unwrap().len(), 5, "{buyers}");
    // Page by page it is the same, and each page knows the whole table.
    let whole = table.sees("Ewa", negotiation).await;
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = format!("/v1/negotiations/{negotiation}?limit=3{cursor}");
        let page = instance.get("Ewa", &page).await.body;
        assert_eq!(page["table"], whole["table"]);
        pages.push(page["timeline"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let (last, full) = pages.split_last().unwrap();
    assert!(full.len() > 2 && full.iter().all(|page| page.len() == 3) && last.len() <= 3);
    assert_eq!(json!(pages.concat()), whole["timeline"]);
    assert_eq!(whole["next_cursor"], Value::Null);
    refused(&then("Tomasz", "&as=buyer").await, 403, "negotiation.other_side");
    refused(&then("hotel", "").await, 404, "not_found");
    let path = format!("/v1/offers/{}?at={at}", table.offer);
    let offer = instance.get("Ewa", &path).await.body;
    assert_eq!((&offer["status"], &offer["revision"]), (&json!("in_negotiation"), &json!(1)));
    assert_eq!(offer["lines"][0]["unit_price"], "9.50");
    let before = format!("/v1/offers/{}?at=2000-01-01T00:00:00Z", table.offer);
    refused(&instance.get("Ewa", &before).await, 404, "not_found");
}

/// The digest of a revision, counted from 0.
async fn stamp_of(instance: &Instance, offer: &str, index: usize) -> Value {
    let revisions = instance.get("sales", &format!("/v1/offers/{offer}/revisions")).await.body;
    revisions["items"][index]["digest"].clone()
}

#[tokio::test]
async fn what_was_agreed_can_hold_in_future() {
    let table = Table::laid().await;
    let instance = table.instance();
    let contract = format!("/v1/offers/{}/contract", table.offer);
    let body = json!({ "name": "Umowa 2099", "from": "2026-01-01" });
    refused(&instance.post("Maria", &contract, &body).await, 409, "offer.not_agreed_on");
    done(accept(instance, "Jan", &table.offer).await);
    refused(&instance.post("Tomasz", &contract, &body).await, 403, "role_not_allowed");
    let agreement = created(instance.post("Maria", &contract, &body).await);
    instance.settled().await;
    let shown = instance.get("sales", &format!("/v1/price-agreements/{agreement}")).await.body;
    assert_eq!((&shown["status"], &shown["name"]), (&json!("active"), &json!("Umowa 2099")));
    let order = json!({ "currency": "PLN", "lines": [{ "sku": "COFFEE", "quantity": "1" }] });
    let order = created(instance.post("grocer", "/v1/orders", &order).await);
    instance.settled().await;
    let order = instance.get("grocer", &format!("/v1/orders/{order}")).await.body;
    assert_eq!(order["lines"][0]["unit_price"], "9.50");
}

#[tokio::test]
async fn an_offer_is_taken_in_part_with_other_quantities() {
    let table = Table::laid().await;
    let instance = table.instance();
    let offer = json!({
        "company": table.shop.grocer, "valid_until": "2099-12-31", "discount": "1",
        "delivery_terms": { "incoterm": "DAP", "place": "Gdynia" }, "divisible": true,
        "lines": [
            { "sku": "COFFEE", "quantity": "100", "discount": "2",
              "breaks": [{ "at_least": "50", "unit_price": "9.90" }], "at_most": "1000" },
            { "sku": "RICE", "quantity": "100", "choice": { "kind": "alternative", "to": 1 } },
            { "sku": "COURSE", "quantity": "1", "choice": { "kind": "optional" } },
        ],
    });
    let offer = created(instance.post("Tomasz", "/v1/offers", &offer).await);
    done(instance.post("Tomasz", &format!("/v1/offers/{offer}/send"), &json!({})).await);
    let path = format!("/v1/offers/{offer}/accept");
    let with = async |lines: Value| {
        let mut body = stamp(instance, &offer).await;
        body["lines"] = lines;
        instance.post("Jan", &path, &body).await
    };
    let both = json!([{ "line": 1 }, { "line": 2 }]);
    refused(&with(both).await, 422, "offer.chosen_twice");
    let few = json!([{ "line": 1, "quantity": "49" }]);
    refused(&with(few).await, 422, "offer.quantity_not_offered");
    let half = json!([{ "line": 1, "quantity": "50.5" }]);
    refused(&with(half).await, 422, "product.indivisible");
    refused(&with(json!([])).await, 422, "offer.nothing_chosen");
    done(with(json!([{ "line": 1, "quantity": "60" }, { "line": 3 }])).await);
    instance.settled().await;
    let order = instance.all_whole("Jan", "/v1/orders").await.remove(0);
    let price = |line: usize| order["lines"][line]["unit_price"].as_str().unwrap();
    // 9.90 less 2 and then 1 percent: 9.604980, rounded once; 150.00 less 1 percent.
    assert_eq!((price(0), price(1)), ("9.605", "148.50"));
    assert_eq!(order["lines"][0]["quantity"], "60");
    assert_eq!(order["delivery_terms"], json!({ "incoterm": "DAP", "place": "Gdynia" }));
}

#[tokio::test]
async fn a_revision_takes_the_place_of_another_and_an_offer_is_held_open_for_longer() {
    let table = Table::laid().await;
    let instance = table.instance();
    let first = stamp(instance, &table.offer).await;
    let next = json!({
        "company": table.shop.grocer, "valid_until": "2099-12-31",
        "lines": [{ "sku": "COFFEE", "quantity": "100", "unit_price": "9.60" }],
    });
    let path = |what: &str| format!("/v1/offers/{}/{what}", table.offer);
    done(instance.post("Tomasz", &path("draft"), &next).await);
    assert_eq!(table.offer("Ewa").await["lines"][0]["unit_price"], "9.50");
    let sellers = table.offer("Tomasz").await;
    assert_eq!(sellers["inside"]["draft"]["lines"][0]["unit_price"], "9.60", "{sellers}");
    done(instance.post("Tomasz", &path("send"), &json!({})).await);
    let shown = table.offer("Ewa").await;
    assert_eq!((&shown["revision"], &shown["lines"][0]["unit_price"]), (&json!(2), &json!("9.60")));
    let old = instance.post("Jan", &path("accept"), &first).await;
    refused(&old, 409, "offer.not_the_standing_revision");
    let revisions = instance.get("Ewa", &path("revisions")).await.body;
    assert_eq!(revisions["items"].as_array().unwrap().len(), 2);
    assert_eq!(revisions["items"][0]["proposal"]["lines"][0]["unit_price"], "9.50");

    let longer = json!({ "valid_until": "2100-06-30" });
    done(instance.post("Tomasz", &path("extend"), &longer).await);
    assert_eq!(table.offer("Ewa").await["extended_until"], "2100-06-30");
    let shorter = json!({ "valid_until": "2099-06-30" });
    refused(&instance.post("Tomasz", &path("extend"), &shorter).await, 422, "offer.not_longer");
    refused(&instance.post("Ewa", &path("extend"), &longer).await, 403, "role_not_allowed");
    done(accept(instance, "Jan", &table.offer).await);
}

/// Of an acceptance and a withdrawal at the same moment exactly one wins, and there is an order
/// exactly where the acceptance did.
#[tokio::test]
async fn acceptance_and_withdrawal_race() {
    let table = Table::laid().await;
    let instance = table.instance();
    let mut accepted = BTreeSet::new();
    for round in 0..12 {
        let offer = table.shop.sent_offer().await;
        let stamp = stamp(instance, &offer).await;
        let (yes, no) =
            (format!("/v1/offers/{offer}/accept"), format!("/v1/offers/{offer}/withdraw"));
        let nothing = json!({});
        let (yes, no) = if round % 2 == 0 {
            futures::join!(
                instance.post("Jan", &yes, &stamp),
                instance.post("sales", &no, &nothing)
            )
        } else {
            let (no, yes) = futures::join!(
                instance.post("sales", &no, &nothing),
                instance.post("Jan", &yes, &stamp)
            );
            (yes, no)
        };
        match (yes.status, no.status) {
            (200, 409) => {
                refused(&no, 409, "offer.already_accepted");
                accepted.insert(offer);
            }
            (409, 200) => refused(&yes, 409, "offer.closed"),
            _ => panic!("{yes:?} {no:?}"),
        }
    }
    instance.settled().await;
    let orders = instance.all("Jan", "/v1/orders").await;
    let ordered: Vec<String> =
        orders.iter().map(|order| order["source"]["offer"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ordered.len(), accepted.len());
    assert_eq!(ordered.into_iter().collect::<BTreeSet<_>>(), accepted);
}

#[tokio::test]
async fn deadlines_remind_and_end_negotiations() {
    let table = Table::laid().await;
    let instance = table.instance();
    let say = json!({ "lines": [{ "line": 2, "quantity": "10" }], "drop": [1],
        "answer_by": "2098-05-10" });
    let negotiation = table.open("Ewa", say).await;
    let past = json!({ "round": 2, "say": { "agree": [2], "answer_by": "2020-01-01" } });
    let past = table.act("Tomasz", &negotiation, "propose", past).await;
    refused(&past, 422, "negotiation.answer_in_the_past");
    instance.settled().await;
    let url = instance.run_file()["database_url"].as_str().unwrap().to_owned();
    let log = EventLog::open(&LogConfig::new(&url)).await.unwrap();
    let pool = |name| postgres::pool(&url, name, 2).unwrap();
    let views = Views::open(pool("test views"), log.clone()).await.unwrap();
    let access = Access::new(pool("test access"));
    let on = |day: &str| {
        let clock = Clock::fixed(format!("{day}T12:00:00Z").parse().unwrap());
        let (log, views, access) = (log.clone(), views.clone(), access.clone());
        Services { log, views, access, clock }
    };
    let watched = async |day: &str| {
        instance.settled_in("/v1/negotiations").await;
        timers::watch_negotiations(&on(day)).await.unwrap()
    };
    assert_eq!(watched("2098-05-08").await, 0);
    assert_eq!(watched("2098-05-09").await, 1, "the seller is reminded");
    assert_eq!(watched("2098-05-10").await, 0, "once");
    assert_eq!(table.sees("Ewa", &negotiation).await["status"], "open");
    assert_eq!(watched("2098-05-11").await, 1);
    let over = table.sees("Ewa", &negotiation).await;
    assert_eq!(over["status"], "expired");
    let types: Vec<&str> = over["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["event"]["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["opened", "proposed", "reminded", "expired"]);
    assert_eq!(table.offer("Ewa").await["status"], "open", "the offer stands as it stood");
    // A negotiation ends with its offer.
    done(table.act("Ewa", &negotiation, "resume", json!({})).await);
    instance.settled_in("/v1/offers").await;
    assert_eq!(
        timers::expire_offers(&on("2100-01-01"), &timers::Failing::new("offers")).await.unwrap(),
        1
    );
    instance.settled().await;
    assert_eq!(table.sees("Ewa", &negotiation).await["status"], "closed");
    assert_eq!(table.offer("Ewa").await["status"], "expired");
    let lapsed = accept(instance, "Jan", &table.offer).await;
    refused(&lapsed, 409, "offer.closed");
}

/// Two hundred negotiations at once, in which both sides act at random.
#[tokio::test]
async fn two_hundred_negotiations_at_once() {
    let table = Table::laid().await;
    let instance = table.instance();
    let company = table.shop.grocer.as_str();
    let offers = join_all((0..8_u64).map(|lane| async move {
        let mut outcomes = Vec::new();
        for number in 0..25 {
            let mut random = StdRng::seed_from_u64(lane * 1_000 + number);
            outcomes.push(negotiate_randomly(instance, company, &mut random).await);
        }
        outcomes
    }))
    .await;
    instance.settled().await;
    let orders = instance.all_whole("Jan", "/v1/orders").await;
    let of_offer = |offer: &str| {
        let source = |order: &&Value| order["source"]["offer"] == offer;
        orders.iter().filter(source).collect::<Vec<_>>()
    };
    let mut accepted = 0;
    for offer in offers.into_iter().flatten() {
        let shown = instance.get("sales", &format!("/v1/offers/{offer}")).await.body;
        let ordered = of_offer(&offer);
        // An order exactly where the offer was accepted, at exactly the prices of the revision.
        let is_accepted = shown["status"] == "accepted";
        assert_eq!(ordered.len(), usize::from(is_accepted), "{shown}");
        if let Some(order) = ordered.first() {
            accepted += 1;
            let sold =
                |line: &Value| ["sku", "quantity", "unit_price"].map(|name| line[name].clone());
            let lines = |of: &Value| of["lines"].as_array().unwrap().iter().map(sold).collect();
            let (agreed, sold): (Vec<_>, Vec<_>) = (lines(&shown), lines(order));
            assert_eq!(agreed, sold);
        }
        check_history(instance, &offer, &shown).await;
    }
    assert!(accepted > 20, "the two came to terms: {accepted}");
    let alarms =
        instance.database().await.query("SELECT * FROM policy.refusals", &[]).await.unwrap();
    assert_eq!(alarms.len(), 0);
}

/// Lets both sides of one offer do something until it has ended, or they tire.
async fn negotiate_randomly(instance: &Instance, company: &str, random: &mut StdRng) -> String {
    let offer = json!({
        "company": company, "valid_until": "2099-12-31",
        "lines": [{ "sku": "COFFEE", "quantity": "10", "unit_price": "9.80" },
            { "sku": "RICE", "quantity": "10" }, { "sku": "COFFEE", "quantity": "20" }],
    });
    let offer = created(instance.post("sales", "/v1/offers", &offer).await);
    done(instance.post("sales", &format!("/v1/offers/{offer}/send"), &json!({})).await);
    let mut negotiation: Option<String> = None;
    for _ in 0..14 {
        let buys = random.random_bool(0.5);
        let who = if buys { "Jan" } else { "sales" };
        let number = random.random_range(1..4_u32);
        let price = format!("{}.{}0", random.random_range(1..12), random.random_range(0..10));
        let say = match random.random_range(0..3) {
            0 => json!({ "agree": [number] }),
            1 => json!({ "lines": [{ "line": number, "unit_price": price }] }),
            _ => json!({ "agree": [1, 2], "agree_to_conditions": true }),
        };
        let answer = match (random.random_range(0..20), &negotiation) {
            (0, _) if buys => accept(instance, who, &offer).await,
            (1, _) if random.random_bool(0.3) => {
                let what = if buys { "reject" } else { "withdraw" };
                instance.post(who, &format!("/v1/offers/{offer}/{what}"), &json!({})).await
            }
            (2, Some(id)) => {
                instance.post(who, &format!("/v1/negotiations/{id}/break-off"), &json!({})).await
            }
            (3 | 4, Some(id)) => {
                instance.post(who, &format!("/v1/negotiations/{id}/resume"), &json!({})).await
            }
            (5, Some(id)) => {
                let body = json!({ "lines": [number], "conditions": random.random_bool(0.2) });
                instance.post(who, &format!("/v1/negotiations/{id}/reopen"), &body).await
            }
            (6..=9, Some(id)) => {
                let round = next_round(instance, id).await;
                let path = format!("/v1/negotiations/{id}/agree");
                instance.post(who, &path, &json!({ "round": round })).await
            }
            (_, Some(id)) => {
                let round = next_round(instance, id).await;
                let path = format!("/v1/negotiations/{id}/propose");
                instance.post(who, &path, &json!({ "round": round, "say": say })).await
            }
            (_, None) => {
                let revision = stamp(instance, &offer).await["revision"].clone();
                let path = format!("/v1/offers/{offer}/negotiate");
                let opened =
                    instance.post(who, &path, &json!({ "revision": revision, "say": say })).await;
                negotiation = opened.body["id"].as_str().map(str::to_owned);
                opened
            }
        };
        assert!([200, 201, 409, 422].contains(&answer.status), "{answer:?}");
        if answer.body["code"] == "negotiation.concluded" {
            // The offer has a revision on which both agreed: it is talked about anew, or taken.
            negotiation = None;
            if random.random_bool(0.7) {
                accept(instance, "Jan", &offer).await;
            }
        }
    }
    offer
}

async fn next_round(instance: &Instance, negotiation: &str) -> u64 {
    let seen = instance.get("sales", &format!("/v1/negotiations/{negotiation}")).await.body;
    seen["rounds"].as_u64().unwrap_or(0) + 1
}

/// What was agreed on in history never changed but by both, and every revision holds what was
/// agreed on.
async fn check_history(instance: &Instance, offer: &str, shown: &Value) {
    let negotiations = instance.all("sales", &format!("/v1/negotiations?offer={offer}")).await;
    let revisions = instance.get("sales", &format!("/v1/offers/{offer}/revisions")).await.body;
    let revisions = revisions["items"].as_array().unwrap();
    for (index, revision) in revisions.iter().enumerate() {
        assert_eq!(revision["revision"], json!(index + 1));
    }
    let agreed =
        negotiations.iter().filter(|negotiation| negotiation["status"] == "agreed").count();
    let negotiated = revisions.iter().filter(|revision| revision["negotiated"] == true).count();
    assert_eq!(agreed, negotiated, "{shown}");
    if !["open", "in_negotiation"].contains(&shown["status"].as_str().unwrap()) {
        assert!(negotiations.iter().all(|negotiation| negotiation["status"] != "open"), "{shown}");
    }
    for negotiation in &negotiations {
        let id = negotiation["id"].as_str().unwrap();
        let history = instance.get("sales", &format!("/v1/negotiations/{id}")).await.body;
        let mut turn = None;
        for entry in history["timeline"].as_array().unwrap() {
            let event = &entry["event"];
            match event["type"].as_str().unwrap() {
                "opened" => turn = event["side"].as_str().map(str::to_owned),
                "proposed" => {
                    assert_eq!(turn.as_deref(), event["side"].as_str(), "{history}");
                    let other = if event["side"] == "seller" { "buyer" } else { "seller" };
                    turn = Some(other.to_owned());
                }
                _ => {}
            }
        }
        if negotiation["status"] == "agreed" {
            let number = negotiation["revision"].as_u64().unwrap();
            let next = &revisions[usize::try_from(number).unwrap()];
            let lines = history["timeline"].as_array().unwrap().last().unwrap();
            assert_eq!(next["proposal"]["lines"], lines["event"]["lines"], "{history}");
        }
    }
}
