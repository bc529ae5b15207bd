//! Following events over HTTP: page by page, with `wait`, and live.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    instance::Instance,
    journeys::{Shop, created, done, refused},
    messaging::conversations::Watch,
};

fn items(page: &Value) -> &Vec<Value> {
    page["items"].as_array().unwrap_or_else(|| panic!("{page}"))
}

async fn order(shop: &Shop) -> String {
    let order = json!({ "currency": "PLN", "lines": [{ "sku": "RICE", "quantity": "1" }] });
    created(shop.instance.post("grocer", "/v1/orders", &order).await)
}

#[tokio::test]
async fn the_last_page_says_where_to_go_on() {
    let shop = Shop::open().await;
    let placed = order(&shop).await;
    shop.instance.settled().await;
    let path = "/v1/events?type=order.placed";
    let first = shop.instance.get("integrator", path).await.body;
    assert_eq!(items(&first).len(), 1);
    assert_eq!(items(&first)[0]["stream_id"], json!(placed));
    let go_on = format!("{path}&cursor={}", first["next_cursor"].as_str().unwrap());
    let empty = shop.instance.get("integrator", &go_on).await.body;
    assert_eq!((items(&empty).len(), empty["next_cursor"].is_string()), (0, true));
    let second = order(&shop).await;
    let go_on = format!("{path}&cursor={}", empty["next_cursor"].as_str().unwrap());
    let page = shop.instance.get("integrator", &go_on).await.body;
    assert_eq!(items(&page).len(), 1, "{page}");
    assert_eq!(items(&page)[0]["stream_id"], json!(second));
    // The same by the position, which a consumer keeps beside what it has made of the event.
    let position = &items(&first)[0]["position"];
    let from = shop.instance.get("integrator", &format!("{path}&from={position}")).await.body;
    assert_eq!(items(&from), items(&page));
    // Backwards there is an end.
    let last = shop.instance.get("integrator", &format!("{path}&order=desc")).await.body;
    assert_eq!((items(&last).len(), &last["next_cursor"]), (2, &Value::Null));
}

#[tokio::test]
async fn a_long_poll_returns_as_soon_as_there_is_an_event() {
    let shop = Shop::open().await;
    let head = shop.instance.settled().await;
    let wait = |query: &str| {
        let path = format!("/v1/events?from={head}&wait=30&{query}");
        let (url, key) =
            (shop.instance.address().url(), shop.instance.key("integrator").to_owned());
        tokio::spawn(async move {
            let request = reqwest::Client::new().get(format!("{url}{path}")).bearer_auth(key);
            request.send().await.unwrap().json::<Value>().await.unwrap()
        })
    };
    let started = Instant::now();
    let [of_orders, of_grocer, of_nothing] = [
        wait("type=order.placed"),
        wait(&format!("company={}&aggregate=order", shop.grocer)),
        wait("type=payment.booked"),
    ];
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!of_orders.is_finished() && !of_grocer.is_finished(), "there is nothing yet");
    let placed = order(&shop).await;
    for waiting in [of_orders, of_grocer] {
        let page = waiting.await.unwrap();
        assert_eq!(items(&page)[0]["stream_id"], json!(placed));
    }
    assert!(!of_nothing.is_finished(), "what it waits for has not happened");
    let nothing = of_nothing.await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(30));
    assert_eq!((items(&nothing).len(), nothing["next_cursor"].is_string()), (0, true));
    // What there is already is not waited for.
    let at_once = Instant::now();
    let page =
        shop.instance.get("integrator", &format!("/v1/events?from={head}&wait=30")).await.body;
    assert!(!items(&page).is_empty() && at_once.elapsed() < Duration::from_secs(20));
}

/// However many wait, the log is asked by one: their number does not show in its statements.
#[tokio::test]
async fn waiting_costs_no_statements() {
    let mut shop = Shop::open().await;
    for number in 0..10 {
        shop.instance.make_key(&format!("erp {number}"), "integrator", None).await;
    }
    let head = shop.instance.settled().await;
    let database = shop.instance.database().await;
    let count = async || -> i64 {
        // Statistics come late: what an idle second adds is compared, not a moment.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let sql = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";
        database.query_one(sql, &[]).await.unwrap().get(0)
    };
    let idle = -count().await + count().await;
    let url = shop.instance.address().url();
    let path = format!("{url}/v1/events?from={head}&wait=30&type=payment.booked");
    let client = reqwest::Client::new();
    let waiting: Vec<_> = (0..100)
        .map(|number| {
            let key = shop.instance.key(&format!("erp {}", number % 10));
            tokio::spawn(client.get(&path).bearer_auth(key).send())
        })
        .collect();
    let _begin = count().await;
    let busy = -count().await + count().await;
    assert!(waiting.iter().all(|waiting| !waiting.is_finished()), "they wait");
    assert!(busy < 2 * idle + 50, "{idle} transactions became {busy}");
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn what_cannot_be_waited_for_is_refused() {
    let instance = Instance::start().await;
    for (query, code) in [
        ("wait=31", "query.invalid"),
        ("wait=1&order=desc", "query.invalid"),
        ("from=1&order=desc", "query.invalid"),
        ("from=999999999", "position.invalid"),
    ] {
        refused(&instance.get("integrator", &format!("/v1/events?{query}")).await, 400, code);
    }
}

/// An auditor reads who stood behind `key:…`, also when the key opens nothing any more.
#[tokio::test]
async fn an_auditor_sees_who_stood_behind_a_key() {
    let mut shop = Shop::open().await;
    shop.instance.make_key("Sklep ERP", "sales", None).await;
    let product = json!({ "sku": "OATS", "name": "Oats", "unit": "piece", "vat_rate": "5" });
    let product = created(shop.instance.post("admin", "/v1/products", &product).await);
    let history = shop.instance.get("auditor", &format!("/v1/history/{product}")).await.body;
    let actor = items(&history)[0]["actor"].as_str().unwrap();
    let key = actor.strip_prefix("key:").unwrap();
    let shown = shop.instance.get("auditor", &format!("/v1/api-keys/{key}")).await.body;
    assert_eq!((&shown["role"], &shown["revoked"]), (&json!("admin"), &json!(false)), "{shown}");
    assert!(shown["name"].is_string());
    assert_eq!(shown.get("secret"), None);
    let mut names: Vec<&String> = shown.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["company", "employee", "id", "name", "revoked", "role"], "no secrets");
}

/// Who reads history watches it too: of a company what was disclosed to it, of the seller what both sides keep
/// for themselves.
#[tokio::test]
async fn integrators_and_auditors_watch_what_they_may_read() {
    let mut shop = Shop::open().await;
    let (grocer, hotel) = (shop.grocer.clone(), shop.hotel.clone());
    shop.instance.make_key("grocer's ERP", "integrator", Some(&grocer)).await;
    shop.instance.make_key("hotel's ERP", "integrator", Some(&hotel)).await;
    let watchers = ["auditor", "integrator", "grocer's ERP", "hotel's ERP"];
    let mut watches = Vec::new();
    for name in watchers {
        watches.push(Watch::begin(&shop.instance, name, None).await);
    }
    let placed = order(&shop).await;
    let about = format!("/v1/conversations/orders/{placed}");
    for (who, to) in [("grocer", "notes"), ("sales", "notes"), ("grocer", "messages")] {
        let said = json!({ "text": "Na kiedy?" });
        done(shop.instance.post(who, &format!("{about}/{to}"), &said).await);
    }
    let other = json!({ "currency": "PLN", "lines": [{ "sku": "RICE", "quantity": "1" }] });
    created(shop.instance.post("hotel", "/v1/orders", &other).await);
    let head = shop.instance.settled().await;
    let note = "conversation.note_written";
    let message = "conversation.message_sent";
    for (name, watch, expected) in [
        ("auditor", &watches[0], vec!["order.placed", note, note, message, "order.placed"]),
        ("integrator", &watches[1], vec!["order.placed", note, note, message, "order.placed"]),
        ("grocer's ERP", &watches[2], vec!["order.placed", note, message]),
        ("hotel's ERP", &watches[3], vec!["order.placed"]),
    ] {
        let history = shop.instance.all(name, "/v1/events").await;
        let kinds = ["order", "conversation"];
        let read =
            history.iter().filter(|event| kinds.contains(&event["stream_type"].as_str().unwrap()));
        let read: Vec<&str> = read.map(|event| event["event_type"].as_str().unwrap()).collect();
        assert_eq!(read, expected, "{name} reads");
        let last = history
            .iter()
            .rev()
            .find(|event| kinds.contains(&event["stream_type"].as_str().unwrap()));
        let received = watch.frames_up_to(last.unwrap()["position"].as_u64().unwrap()).await;
        let received: Vec<&str> = received.iter().map(|frame| frame.event.as_str()).collect();
        assert_eq!(received, expected, "{name} watches, up to {head}");
    }
}
