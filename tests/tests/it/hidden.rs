//! Internal steps of one side are not visible to the other: not in responses of commands, not in
//! event history, not through unsent offers.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    instance::{Answer, Instance},
    journeys::{accept, created, done, refused},
    sales::documents::words,
    sales::negotiations::Table,
};

/// Where history has got to: all that a command on an offer or on a negotiation returns, beside what it is.
#[track_caller]
fn position(answer: &Answer) -> u64 {
    assert!([200, 201].contains(&answer.status), "{answer:?}");
    let named: Vec<&String> = answer.body.as_object().unwrap().keys().collect();
    assert_eq!(named, ["id", "position"], "{answer:?}");
    answer.body["position"].as_u64().unwrap()
}

/// Coffee of the list at 10.00; below 9.50, Maria must agree.
fn coffee(table: &Table, unit_price: &str) -> Value {
    json!({
        "company": table.shop.grocer, "valid_until": "2099-12-31",
        "lines": [{ "sku": "COFFEE", "quantity": "100", "unit_price": unit_price }],
    })
}

#[tokio::test]
async fn no_answer_counts_what_the_other_side_deliberates() {
    let table = Table::laid().await;
    let instance = table.instance();
    let ask = async |who: &str, what: &str, body: Value| {
        instance.post(who, &format!("/v1/offers/{}/{what}", table.offer), &body).await
    };
    let viewed = json!({ "revision": 1 });
    let first = position(&ask("Ewa", "view", viewed.clone()).await);
    position(&ask("Tomasz", "draft", coffee(&table, "8.00")).await);
    let asked = position(&ask("Tomasz", "send", json!({})).await);
    // Somebody else trades meanwhile, and Ewa looks once more: that changes nothing.
    let others = table.shop.sent_offer().await;
    let end = instance.settled().await;
    let again = position(&ask("Ewa", "view", viewed).await);
    assert!(first < asked && asked < end);
    assert_eq!(again, end, "the end of history, not of the offer's: {others}");

    let negotiation = {
        let say = json!({ "lines": [{ "line": 1, "unit_price": "9.40" }] });
        let opened = ask("Jan", "negotiate", json!({ "revision": 1, "say": say })).await;
        position(&opened);
        created(opened)
    };
    let act =
        async |who: &str, what: &str, body: Value| table.act(who, &negotiation, what, body).await;
    let lower = json!({ "round": 2, "say": { "lines": [{ "line": 1, "unit_price": "9.20" }] } });
    position(&act("Tomasz", "propose", lower).await);
    refused(
        &act("Jan", "reopen", json!({ "lines": [] })).await,
        422,
        "negotiation.nothing_to_reopen",
    );
    position(&table.answer("Maria", &negotiation, "approve").await);
    position(&act("Jan", "break-off", json!({})).await);
    table.shop.sent_offer().await;
    let end = instance.settled().await;
    assert_eq!(position(&act("Jan", "break-off", json!({})).await), end);
    position(&act("Jan", "resume", json!({})).await);
    let stale = act("Jan", "propose", json!({ "round": 2, "say": { "agree": [2] } })).await;
    refused(&stale, 409, "negotiation.other_round");
    position(&act("Jan", "agree", json!({ "round": 3 })).await);
    position(&ask("Tomasz", "extend", json!({ "valid_until": "2100-01-31" })).await);
    instance.settled().await;
    position(&accept(instance, "Jan", &table.offer).await);
}

/// What somebody reads of the history of something.
async fn history(instance: &Instance, who: &str, path: &str) -> Vec<Value> {
    instance.settled().await;
    instance.all(who, path).await
}

#[tokio::test]
async fn a_company_reads_neither_how_much_is_hidden_nor_who_stood_behind_the_seller() {
    let mut table = Table::laid().await;
    let grocer = table.shop.grocer.clone();
    table.shop.instance.make_key("grocer's erp", "integrator", Some(&grocer)).await;
    let instance = table.instance();
    let negotiation =
        table.open("Ewa", json!({ "lines": [{ "line": 1, "unit_price": "8.50" }] })).await;
    done(table.answer("Anna", &negotiation, "approve").await);
    let lower = json!({ "round": 2, "say": { "lines": [{ "line": 1, "unit_price": "9.00" }] } });
    done(table.act("Tomasz", &negotiation, "propose", lower).await);
    done(table.answer("Maria", &negotiation, "approve").await);
    done(accept(instance, "Jan", &table.offer).await);
    let keys_offer = table.shop.sent_offer().await;
    done(accept(instance, "grocer", &keys_offer).await);

    let path = format!("/v1/history/{negotiation}");
    let visible = history(instance, "grocer's erp", &path).await;
    let of = |name: &str| visible.iter().map(|event| event[name].clone()).collect::<Vec<_>>();
    let types = ["opened", "proposed", "proposed", "closed"];
    assert_eq!(of("event_type"), types.map(|name| json!(format!("negotiation.{name}"))));
    assert_eq!(of("version"), [(); 4].map(|()| Value::Null));
    let whole = history(instance, "auditor", &path).await;
    let actors = |types: &str| -> Vec<String> {
        let of_type = whole.iter().filter(|event| event["event_type"] == types);
        of_type.map(|event| event["actor"].as_str().unwrap().to_owned()).collect()
    };
    let [anna, maria] = actors("negotiation.proposed").try_into().unwrap();
    let ewa = &actors("negotiation.opened")[0];
    assert_ne!(&anna, ewa);
    assert_eq!(of("actor")[..3], [ewa.as_str(), &anna, "seller"].map(|actor| json!(actor)));
    assert_eq!(whole.last().unwrap()["version"], whole.len());

    // The same wherever history is read: what the seller's people and keys do, the seller does.
    let visible = history(instance, "grocer's erp", "/v1/events").await;
    let all = history(instance, "auditor", "/v1/events").await;
    assert!(all.iter().any(|event| event["actor"] == json!(maria)));
    let mut seen = Vec::new();
    for event in &visible {
        let kind = event["stream_type"].as_str().unwrap();
        let counts = !["offer", "negotiation"].contains(&kind);
        assert_eq!(event["version"].is_u64(), counts, "{event}");
        let recorded = all.iter().find(|other| other["position"] == event["position"]).unwrap();
        let actor = event["actor"].as_str().unwrap();
        let who = if actor == "seller" { "seller" } else { actor.split(':').next().unwrap() };
        assert!(who == "seller" || recorded["actor"] == event["actor"], "{event}");
        seen.push((event["event_type"].as_str().unwrap(), who));
    }
    for (event_type, who) in [
        ("company.registered", "seller"),
        ("employee.engaged", "seller"),
        ("offer.sent", "seller"),
        ("quotation_request.requested", "employee"),
        ("offer.accepted", "employee"),
        ("offer.accepted", "key"),
        ("order.placed", "policy"),
    ] {
        assert!(seen.contains(&(event_type, who)), "{event_type} {who}: {seen:?}");
    }
}

/// Who looks after it and what it was made of, as somebody sees it in the offer, now and by its
/// history, among others, in its document and in the inbox.
async fn source(table: &Table, who: &str, offer: &str) -> [Value; 2] {
    let instance = table.instance();
    let after = instance.settled().await;
    let now = instance.get(who, &format!("/v1/offers/{offer}?wait_for={after}")).await.body;
    let at = format!("/v1/offers/{offer}?at={}", Timestamp::now());
    assert_eq!(instance.get(who, &at).await.body, now, "{who}");
    let mine = format!("/v1/offers?representative={}", now["representative"].as_str().unwrap());
    let listed = instance.all(who, &mine).await;
    let listed = listed.iter().find(|listed| listed["id"] == now["id"]);
    assert_eq!(listed.unwrap()["origin"], now["origin"], "{who}");
    if now["status"] != "accepted" && who != "auditor" {
        let inbox = instance.all(who, "/v1/inbox").await;
        let item = inbox.iter().find(|item| item["id"] == now["id"]).unwrap();
        assert_eq!(item["representative"], now["representative"], "{who}");
    }
    ["representative", "origin"].map(|name| now[name].clone())
}

#[tokio::test]
async fn an_unsent_draft_shows_neither_its_representative_nor_its_origin() {
    let mut table = Table::laid().await;
    let beata = table.shop.instance.engage("Beata", "sales", None).await;
    let instance = table.instance();
    let request = json!({ "kind": "request", "request": table.request });
    let [tomasz, first] = source(&table, "Ewa", &table.offer).await;
    assert_eq!((&first, &tomasz), (&request, &source(&table, "Tomasz", &table.offer).await[0]));
    let order = json!({ "currency": "PLN", "lines": [{ "sku": "RICE", "quantity": "10" }] });
    let order = created(instance.post("Jan", "/v1/orders", &order).await);
    let order = json!({ "kind": "order", "order": order });

    let path = |what: &str| format!("/v1/offers/{}/{what}", table.offer);
    let with = |origin: &Value, representative: &Value| {
        let mut next = coffee(&table, "9.60");
        next["from"] = origin.clone();
        next["representative"] = representative.clone();
        next
    };
    done(instance.post("Tomasz", &path("draft"), &with(&order, &json!(beata))).await);
    for who in ["Ewa", "Tomasz", "auditor"] {
        let shown = source(&table, who, &table.offer).await;
        assert_eq!(shown, [tomasz.clone(), request.clone()], "{who}");
    }
    let shown = instance.get("Tomasz", &format!("/v1/offers/{}", table.offer)).await.body;
    assert_eq!(
        (&shown["inside"]["representative"], &shown["inside"]["origin"]),
        (&json!(beata), &order)
    );
    let credited = async || {
        let path = format!("/v1/offer-statistics?wait_for={}", instance.settled().await);
        let found = instance.all("Maria", &path).await;
        found.iter().map(|of| of["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(credited().await, std::slice::from_ref(&tomasz));
    let unsent = instance.all("Ewa", &format!("/v1/offers?representative={beata}")).await;
    assert_eq!(unsent, Vec::<Value>::new());
    let pdf = path("pdf");
    assert!(words(instance, "Ewa", &pdf).await.contains("Tomasz"));
    assert!(words(instance, "Tomasz", &format!("{pdf}?revision=2")).await.contains("Beata"));

    done(instance.post("Tomasz", &path("send"), &json!({})).await);
    for who in ["Ewa", "Tomasz", "auditor"] {
        let shown = source(&table, who, &table.offer).await;
        assert_eq!(shown, [json!(beata), order.clone()], "{who}");
    }
    assert_eq!(credited().await, [json!(beata)]);
    assert!(words(instance, "Ewa", &pdf).await.contains("Beata"));

    // What is not said of what it is made stays; what they agree on takes the place of a draft.
    done(instance.post("Tomasz", &path("draft"), &with(&request, &tomasz)).await);
    done(instance.post("Maria", &path("draft"), &with(&Value::Null, &Value::Null)).await);
    let all = json!({ "agree": [1], "agree_to_conditions": true });
    let all = json!({ "revision": 2, "say": all });
    created(instance.post("Jan", &path("negotiate"), &all).await);
    assert_eq!(source(&table, "Ewa", &table.offer).await, [json!(beata), order.clone()]);
    done(accept(instance, "Jan", &table.offer).await);
    assert_eq!(source(&table, "Ewa", &table.offer).await, [json!(beata), order]);
    let compared = instance.run(&["projections", "compare", "all"]);
    assert!(compared.lines().all(|line| line.trim_end().ends_with("equal")), "{compared}");
}

#[tokio::test]
async fn of_what_an_offer_was_made_its_company_sees_its_own() {
    let table = Table::laid().await;
    let instance = table.instance();
    let hotel = &table.shop.hotel;
    let offered = async |from: Value| {
        let body = json!({ "company": hotel, "valid_until": "2099-12-31", "from": from });
        let offer = created(instance.post("Tomasz", "/v1/offers", &body).await);
        done(instance.post("Tomasz", &format!("/v1/offers/{offer}/send"), &json!({})).await);
        instance.settled().await;
        offer
    };
    let order = json!({ "currency": "PLN", "lines": [{ "sku": "RICE", "quantity": "10" }] });
    let foreign = created(instance.post("Jan", "/v1/orders", &order).await);
    let own = created(instance.post("hotel", "/v1/orders", &order).await);
    let template = json!({ "name": "Na początek", "currency": "PLN", "valid_days": 30,
        "lines": [{ "sku": "RICE", "quantity": "10" }] });
    let template = created(instance.post("Tomasz", "/v1/offer-templates", &template).await);
    let copied = offered(json!({ "kind": "offer", "offer": table.offer })).await;
    for (from, is_shown) in [
        (json!({ "kind": "offer", "offer": table.offer }), false),
        (json!({ "kind": "offer", "offer": copied }), true),
        (json!({ "kind": "order", "order": foreign }), false),
        (json!({ "kind": "order", "order": own }), true),
        (json!({ "kind": "template", "template": template }), false),
    ] {
        let offer = offered(from.clone()).await;
        let sellers = instance.get("Tomasz", &format!("/v1/offers/{offer}")).await.body;
        assert_eq!(sellers["origin"], from);
        let listed = instance.all("hotel", "/v1/offers").await;
        let listed = listed.into_iter().find(|listed| listed["id"] == json!(offer)).unwrap();
        let now = instance.get("hotel", &format!("/v1/offers/{offer}")).await.body;
        let at = format!("/v1/offers/{offer}?at={}", Timestamp::now());
        let then = instance.get("hotel", &at).await.body;
        for seen in [listed, now, then] {
            let expected = if is_shown { &from } else { &Value::Null };
            assert_eq!(&seen["origin"], expected, "{seen}");
        }
    }
    // One that was never sent is as little known as another company's.
    let draft = json!({ "company": hotel, "valid_until": "2099-12-31",
        "lines": [{ "sku": "RICE", "quantity": "10" }] });
    let draft = created(instance.post("Tomasz", "/v1/offers", &draft).await);
    instance.settled().await;
    let copy = offered(json!({ "kind": "offer", "offer": draft })).await;
    assert_eq!(
        instance.get("hotel", &format!("/v1/offers/{copy}")).await.body["origin"],
        Value::Null
    );
}
