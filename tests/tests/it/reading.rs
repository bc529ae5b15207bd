//! Reading history: over HTTP with every filter, and on the command line.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    process::Stdio,
};

use serde_json::{Value, json};

use crate::journeys::{Shop, accept, created, done};

fn types(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap_or_else(|| panic!("{page}"));
    items.iter().map(|event| event["event_type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn history_answers_what_is_asked() {
    let mut shop = Shop::open().await;
    let grocer = shop.grocer.clone();
    shop.instance.make_key("grocer's erp", "integrator", Some(&grocer)).await;
    let offer = shop.sent_offer().await;
    done(accept(&shop.instance, "grocer", &offer).await);
    shop.instance.settled().await;
    let ask = async |role: &str, query: &str| {
        let answer = shop.instance.get(role, &format!("/v1/events?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        answer.body
    };

    // The newest first: the offer's life backwards, and what it set off.
    let set_off =
        ["offer.accepted", "order.placed", "credit_account.opened", "credit_account.reserved"];
    let mut backwards = types(&ask("auditor", "order=desc&limit=6").await);
    backwards.reverse();
    assert_eq!(backwards[..2], ["offer.drafted", "offer.sent"]);
    assert_eq!(backwards[2..], set_off);
    let accepted = ask("auditor", "type=offer.accepted").await["items"][0].clone();
    let correlation = accepted["correlation_id"].as_str().unwrap();
    let correlated = types(&ask("auditor", &format!("correlation={correlation}")).await);
    assert_eq!(correlated, set_off);
    let command = accepted["command_id"].as_str().unwrap();
    assert_eq!(types(&ask("auditor", &format!("command={command}")).await), ["offer.accepted"]);
    let cause = accepted["event_id"].as_str().unwrap();
    let followed = types(&ask("auditor", &format!("causation={cause}")).await);
    assert_eq!(followed, set_off[1..]);
    let at = accepted["recorded_at"].as_str().unwrap();
    let since = types(&ask("auditor", &format!("since={at}")).await);
    assert_eq!(since, set_off);
    let until = types(&ask("auditor", &format!("until={at}&order=desc&limit=1")).await);
    assert_eq!(until, ["offer.sent"]);
    let of_kind = types(&ask("auditor", &format!("aggregate=offer&company={grocer}")).await);
    assert_eq!(of_kind, ["offer.drafted", "offer.sent", "offer.accepted"]);

    // A company sees its own, and nothing of what the seller was still deliberating.
    let own = types(&ask("grocer's erp", "").await);
    assert_eq!(own, ["company.registered", "offer.sent", "offer.accepted", "order.placed"]);
    let asked = types(&ask("grocer's erp", "type=offer.drafted").await);
    assert_eq!(asked, [""; 0]);
    let other = format!("/v1/events?company={}", shop.hotel);
    assert_eq!(shop.instance.get("grocer's erp", &other).await.status, 404);
    let of_offer = async |query: &str| {
        shop.instance.get("grocer's erp", &format!("/v1/history/{offer}?{query}")).await
    };
    assert_eq!(types(&of_offer("order=desc").await.body), ["offer.accepted", "offer.sent"]);
    assert_eq!(types(&of_offer("type=offer.sent").await.body), ["offer.sent"]);
    assert_eq!(types(&of_offer(&format!("since={at}")).await.body), ["offer.accepted"]);
    assert_eq!(types(&of_offer("type=offer.expired").await.body), [""; 0]);
    let too_many = format!("type={}", ["offer.sent"; 51].join(","));
    assert_eq!(of_offer(&too_many).await.status, 400);

    // Looking back.
    let state = async |query: &str| {
        shop.instance.get("auditor", &format!("/v1/history/{offer}/state{query}")).await
    };
    assert!(state("?version=1").await.body["state"]["Drafted"].is_object());
    assert!(state(&format!("?at={at}")).await.body["state"]["Accepted"].is_object());
    assert_eq!(state("").await.body["version"], 3);
    assert_eq!(state("?position=1").await.status, 404);
    assert_eq!(state("?position=1&version=1").await.status, 400);
}

/// That it was withdrawn would tell that it had been drafted.
#[tokio::test]
async fn a_company_sees_no_withdrawn_draft() {
    let mut shop = Shop::open().await;
    let grocer = shop.grocer.clone();
    shop.instance.make_key("grocer's erp", "integrator", Some(&grocer)).await;
    let draft = json!({
        "company": grocer, "currency": "PLN", "valid_until": "2099-12-31",
        "lines": [{ "sku": "COFFEE", "quantity": "10", "unit_price": "9.00" }],
    });
    let draft = created(shop.instance.post("sales", "/v1/offers", &draft).await);
    done(shop.instance.post("sales", &format!("/v1/offers/{draft}/withdraw"), &json!({})).await);
    let sent = shop.sent_offer().await;
    done(shop.instance.post("sales", &format!("/v1/offers/{sent}/withdraw"), &json!({})).await);
    shop.instance.settled().await;
    let visible = shop.instance.get("grocer's erp", "/v1/events?aggregate=offer").await.body;
    assert_eq!(types(&visible), ["offer.sent", "offer.withdrawn"]);
    assert!(visible["items"].as_array().unwrap().iter().all(|event| event["stream_id"] == sent));
    for (path, seen) in [("history", "grocer's erp"), ("offers", "grocer")] {
        let status = async |role: &str, id: &str| {
            shop.instance.get(role, &format!("/v1/{path}/{id}")).await.status
        };
        assert_eq!(status(seen, &draft).await, 404, "{path}");
        assert_eq!(status(seen, &sent).await, 200, "{path}");
    }
    let offers = shop.instance.get("grocer", "/v1/offers").await.body;
    assert_eq!(offers["items"].as_array().unwrap().len(), 1);
    assert_eq!(shop.instance.get("auditor", &format!("/v1/history/{draft}")).await.status, 200);
}

/// Every kind of thing that has events, at each of its versions.
#[tokio::test]
async fn every_aggregate_has_a_past_state() {
    let mut shop = Shop::open().await;
    shop.instance.make_key("manager", "sales_manager", None).await;
    let tomasz = shop.instance.engage("Tomasz", "sales", None).await;
    let category = json!({ "title": { "name": "Zboża" } });
    created(shop.instance.post("manager", "/v1/categories", &category).await);
    let list = json!({ "name": "Cennik", "audience": { "kind": "everyone" }, "currency": "PLN" });
    let list = created(shop.instance.post("manager", "/v1/price-agreements", &list).await);
    let price = json!({ "selection": { "kind": "everything" },
        "breaks": [{ "value": { "kind": "percent_off", "percent": "1" } }] });
    let path = format!("/v1/price-agreements/{list}/prices");
    done(shop.instance.post("manager", &path, &json!({ "prices": [price] })).await);
    let rule = json!({ "audience": { "kind": "everyone" }, "selection": { "kind": "everything" } });
    done(shop.instance.post("manager", "/v1/assortments/allow", &rule).await);
    let programme = json!({ "audience": { "kind": "everyone" }, "programme": {
        "days": 30, "tiers": { "kind": "orders", "tiers": [{ "at_least": 99, "percent": "1" }] } } });
    done(shop.instance.post("manager", "/v1/discounts/offer", &programme).await);
    let offer = shop.sent_offer().await;
    let say = json!({ "lines": [{ "line": 1, "unit_price": "8.00" }] });
    let opening = json!({ "revision": 1, "say": say });
    created(shop.instance.post("grocer", &format!("/v1/offers/{offer}/negotiate"), &opening).await);
    let grocer = shop.grocer.clone();
    let template = json!({ "name": "Na początek", "currency": "PLN", "valid_days": 30,
        "lines": [{ "sku": "RICE", "quantity": "10" }] });
    created(shop.instance.post("sales", "/v1/offer-templates", &template).await);
    let territory = json!({ "name": "Polska", "countries": ["PL"], "representatives": [tomasz] });
    let territories = json!({ "territories": [territory] });
    done(shop.instance.post("manager", "/v1/territories", &territories).await);
    let request = json!({ "currency": "PLN", "lines": [{ "sku": "RICE", "quantity": "10" }] });
    created(shop.instance.post("grocer", "/v1/quotation-requests", &request).await);
    let levels = json!({ "levels": [{ "sku": "RICE", "available": "5" }] });
    done(shop.instance.post("warehouse", "/v1/stock", &levels).await);
    let warehouse = json!({ "code": "WAW", "name": "Warszawa" });
    created(shop.instance.post("admin", "/v1/warehouses", &warehouse).await);
    let codes = json!({ "codes": [{ "code": "R-1", "sku": "RICE" }] });
    let path = format!("/v1/companies/{grocer}/product-codes");
    done(shop.instance.post("grocer", &path, &codes).await);
    let path = format!("/v1/companies/{grocer}/approval-rules");
    done(shop.instance.post("admin", &path, &json!({ "rules": [] })).await);
    shop.instance.engage("Ewa", "purchaser", Some(&grocer)).await;
    let ewas = json!({ "currency": "PLN", "lines": [{ "sku": "RICE", "quantity": "1" }] });
    created(shop.instance.post("Ewa", "/v1/orders", &ewas).await);
    let path = format!("/v1/companies/{}/parent", shop.hotel);
    done(shop.instance.post("sales", &path, &json!({ "parent": grocer })).await);
    let order = shop.confirmed_order(json!([{ "sku": "RICE", "quantity": "10" }])).await;
    shop.dispatch(json!({ "order": order })).await;
    let path = format!("/v1/conversations/orders/{order}");
    let message = json!({ "text": "Kiedy przyjedzie?" });
    done(shop.instance.post("grocer", &format!("{path}/messages"), &message).await);
    done(shop.instance.post("sales", &format!("{path}/read"), &json!({ "up_to": 1 })).await);
    done(shop.instance.post("sales", &format!("{path}/notes"), &message).await);
    let payment = json!({ "company": shop.grocer, "method": "cash",
        "amount": { "amount": "1.00", "currency": "PLN" } });
    created(shop.instance.post("accounting", "/v1/payments", &payment).await);
    buy_and_return(&shop).await;
    shop.instance.settled().await;
    let mut kinds = BTreeSet::new();
    let mut newest = BTreeMap::new();
    for event in shop.instance.all("auditor", "/v1/events").await {
        let (id, version) = (event["stream_id"].as_str().unwrap(), &event["version"]);
        let path = format!("/v1/history/{id}/state?version={version}");
        let then = shop.instance.get("auditor", &path).await;
        assert_eq!((then.status, &then.body["version"]), (200, version), "{event}");
        assert_eq!(then.body["position"], event["position"]);
        kinds.insert(event["stream_type"].as_str().unwrap().to_owned());
        newest.insert(id.to_owned(), then.body);
    }
    for (id, state) in newest {
        let now = shop.instance.get("auditor", &format!("/v1/history/{id}/state")).await;
        assert_eq!(now.body, state);
    }
    let aggregates = domain::history::aggregates().map(str::to_owned).collect();
    assert_eq!(kinds, aggregates, "this test records events of every aggregate");
}

/// A cart, a list, a standing order, an order with a reference that is picked, and goods that return.
async fn buy_and_return(shop: &Shop) {
    let instance = &shop.instance;
    let cart = json!({ "name": "Kuchnia", "currency": "PLN" });
    created(instance.post("grocer", "/v1/carts", &cart).await);
    created(instance.post("grocer", "/v1/order-lists", &json!({ "name": "Co tydzień" })).await);
    let lines = json!([{ "sku": "RICE", "quantity": "10" }]);
    let standing = json!({ "name": "Ryż", "currency": "PLN", "lines": lines,
        "unavailable_lines": "leave_out", "schedule": {
        "starts_on": "2099-01-01", "recurrence": { "kind": "every_days", "days": 7 },
        "non_working_days": "keep" } });
    created(instance.post("grocer", "/v1/standing-orders", &standing).await);
    let order = json!({ "currency": "PLN", "lines": lines, "reference": "ZAM/1" });
    let order = created(instance.post("grocer", "/v1/orders", &order).await);
    done(instance.post("sales", &format!("/v1/orders/{order}/confirm"), &json!({})).await);
    let pick_list = json!({ "header": { "warehouse": "WAW" },
        "orders": [{ "order": order, "items": [{ "line": 1, "quantity": "8" }] }] });
    created(instance.post("warehouse", "/v1/pick-lists", &pick_list).await);
    let order = shop.confirmed_order(lines).await;
    let invoice = shop.dispatch(json!({ "order": order })).await;
    let wrong = json!({ "invoice": invoice["id"], "kind": "return",
        "lines": [{ "invoice_line": 1, "quantity": "1", "reason": "damaged" }] });
    created(instance.post("grocer", "/v1/returns", &wrong).await);
}

#[tokio::test]
async fn the_command_line_reads_history() {
    let shop = Shop::open().await;
    let draft = json!({
        "company": shop.grocer, "currency": "PLN", "valid_until": "2099-12-31",
        "lines": [{ "sku": "COFFEE", "quantity": "10", "unit_price": "9.00" }],
    });
    let offer = created(shop.instance.post("sales", "/v1/offers", &draft).await);
    done(shop.instance.post("sales", &format!("/v1/offers/{offer}/send"), &json!({})).await);
    let lines = |arguments: &[&str]| -> Vec<Value> {
        let printed = shop.instance.run(arguments);
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let head: u64 = shop.instance.run(&["log", "head"]).trim().parse().unwrap();
    let all = lines(&["log", "tail"]);
    assert_eq!(all.len() as u64, head);
    assert_eq!(lines(&["log", "tail", "--last", "2"]), all[all.len() - 2..]);
    let stream = format!("offer/{offer}");
    let of_offer = lines(&["log", "tail", "--stream", &stream]);
    assert_eq!(of_offer.len(), 2);
    assert_eq!(lines(&["log", "tail", "--type", "offer.sent"]), of_offer[1..]);

    let shown: Value = serde_json::from_str(&shop.instance.run(&["log", "show", &stream])).unwrap();
    assert!(shown["state"]["Open"].is_object(), "{shown}");
    assert_eq!(shown["events"].as_array().unwrap().len(), 2);
    let drafted = shop.instance.run(&["log", "show", &offer, "--version", "1"]);
    let drafted: Value = serde_json::from_str(&drafted).unwrap();
    assert!(drafted["state"]["Drafted"].is_object(), "{drafted}");
    let at = drafted["recorded_at"].as_str().unwrap();
    let then = shop.instance.run(&["log", "show", &stream, "--at", at]);
    assert_eq!(serde_json::from_str::<Value>(&then).unwrap(), drafted);
    let wrong_kind = format!("order/{offer}");
    assert_eq!(shop.instance.succeeds(&["log", "show", &wrong_kind]), None);

    let stats = shop.instance.run(&["log", "stats", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&stats).unwrap()["events"], head);
    assert!(shop.instance.run(&["log", "stats"]).contains("offer.sent"));

    // What is recorded later follows.
    let mut follower = shop
        .instance
        .command(&["log", "tail", "--follow", "--last", "1", "--aggregate", "offer"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut printed = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&printed.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next(), of_offer[1]);
    let later = shop.sent_offer().await;
    for event_type in ["offer.drafted", "offer.sent"] {
        let event = next();
        assert_eq!(
            (&event["event_type"], &event["stream_id"]),
            (&json!(event_type), &json!(later))
        );
    }
    follower.kill().unwrap();
    follower.wait().unwrap();

    // Nobody reads on: it ends quietly.
    let mut follower =
        shop.instance.command(&["log", "tail", "--follow"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(follower.stdout.take());
    shop.sent_offer().await;
    assert!(follower.wait().unwrap().success());
}
