//! What anybody may take of the process: connections, memory, the size of what it tells of itself.

use std::time::Duration;

use futures::future::join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use serde_json::{Value, json};

use crate::{
    instance::{Instance, PATIENCE, Setting, directory},
    journeys::{Shop, created},
};

/// An instance that soon closes what is silent.
async fn impatient() -> Instance {
    let soon = |name| (name, "1".to_owned());
    let environment = vec![soon("KONTOR_HEAD_TIMEOUT"), soon("KONTOR_IDLE_TIMEOUT")];
    Instance::start_in(directory(), Setting { environment, ..Setting::default() }).await
}

/// How many bytes a new connection is sent after what it sends, until it is closed.
async fn until_closed(address: &str, sent: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let closed = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    closed.expect("it is closed by the server").unwrap();
    answer
}

#[tokio::test]
async fn silent_connections_are_closed() {
    let instance = impatient().await;
    let url = instance.address().url();
    let address = url.strip_prefix("http://").unwrap();
    let silent = join_all((0..50).map(|_| until_closed(address, ""))).await;
    assert!(silent.iter().all(Vec::is_empty));
    until_closed(address, "GET /health/live HTTP/1.1\r\nhost: k\r\nx-slow: ").await;
    let answered = until_closed(address, "GET /health/live HTTP/1.1\r\nhost: k\r\n\r\n").await;
    assert!(answered.starts_with(b"HTTP/1.1 200"), "a whole request is answered first");
    let metrics = instance.text("/metrics").await;
    assert!(metrics.contains("kontor_http_connections_cut_total 52"), "{metrics}");
}

/// Each of the invented texts could become a label, and every label stays for ever.
#[tokio::test]
async fn what_clients_invent_leaves_nothing_in_the_metrics() {
    let instance = Instance::start().await;
    let url = instance.address().url();
    let client = reqwest::Client::new();
    let ask = async |number: usize| {
        let method = format!("INVENTED{number}").parse().unwrap();
        let request = client.request(method, format!("{url}/health/live"));
        assert_eq!(request.send().await.unwrap().status(), 405);
        for path in
            [format!("/invented/{number}"), format!("/v1/orders/{number}?invented={number}")]
        {
            let request = client.get(format!("{url}{path}"));
            let request = request.header("X-Correlation-Id", format!("invented{number}"));
            let request = request.bearer_auth(format!("kontor_invented{number}_x"));
            assert!(request.send().await.unwrap().status().is_client_error());
        }
    };
    ask(0).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = instance.text("/metrics").await;
    for first in (1..2_000).step_by(20) {
        join_all((first..first + 20).map(&ask)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let after = instance.text("/metrics").await;
    assert!(!after.to_lowercase().contains("invented"), "{after}");
    let [before, after] = [before, after].map(|text| text.lines().count());
    assert!(after < before + 100, "{before} lines became {after}");
}

#[tokio::test]
async fn no_answer_is_kept_between_or_taken_for_something_else() {
    let instance = Instance::start().await;
    let client = reqwest::Client::new();
    let paths = [
        "/v1/orders",
        "/v1/products",
        "/v1/exports/products",
        "/openapi.json",
        "/metrics",
        "/health/live",
        "/health/ready",
        "/nowhere",
        "/v1/live",
    ];
    for path in paths {
        for key in [Some(instance.key("admin")), None] {
            let mut request = client.get(format!("{}{path}", instance.address().url()));
            if let Some(key) = key {
                request = request.bearer_auth(key);
            }
            let answer = request.send().await.unwrap();
            let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
            assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(header("cache-control"), "no-store", "{path}");
        }
    }
}

/// An order of the most lines that there may be: over half a megabyte.
async fn long_order(shop: &Shop) -> String {
    let lines = vec![json!({ "sku": "RICE", "quantity": "1" }); 2_000];
    let order = json!({ "currency": "PLN", "lines": lines });
    created(shop.instance.post("grocer", "/v1/orders", &order).await)
}

#[tokio::test]
async fn pages_end_before_they_are_too_long() {
    let shop = Shop::open().await;
    let mut orders = Vec::new();
    for _ in 0..4 {
        orders.push(long_order(&shop).await);
    }
    let head = shop.instance.settled().await;
    let size = |body: &Value| body.to_string().len();

    let list =
        shop.instance.get("grocer", &format!("/v1/orders?limit=200&wait_for={head}")).await.body;
    assert_eq!(list["items"].as_array().unwrap().len(), 4);
    assert!(size(&list) < 10_000, "{list}");
    let path = format!("/v1/orders/{}", orders[0]);
    let whole = shop.instance.get("grocer", &path).await.body;
    assert_eq!(whole["lines"].as_array().unwrap().len(), 2_000);
    let long = size(&whole);
    assert!(long > 300_000, "{long}");

    let path = "/v1/events?type=order.placed&limit=200";
    for order in ["asc", "desc"] {
        let (mut found, mut next) = (Vec::new(), format!("{path}&order={order}"));
        loop {
            let page = shop.instance.get("auditor", &next).await.body;
            let items = page["items"].as_array().unwrap().clone();
            assert!(size(&page) < (1 << 20) + 2 * long, "{} bytes", size(&page));
            found.extend(items.iter().map(|event| event["stream_id"].as_str().unwrap().to_owned()));
            match page["next_cursor"].as_str().filter(|_| !items.is_empty()) {
                Some(cursor) => next = format!("{path}&order={order}&cursor={cursor}"),
                None => break,
            }
        }
        if order == "desc" {
            found.reverse();
        }
        assert_eq!(found, orders, "{order}");
    }
}

/// Lines may be two thousand, so no list has any: they come with the single document. A list that is
/// added is looked at too.
#[tokio::test]
async fn no_list_has_lines() {
    let instance = Instance::start().await;
    let document = instance.get("admin", "/openapi.json").await.body;
    let mut lists = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let answer = &methods["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        let properties = properties(&document, answer);
        if properties.is_none_or(|properties| properties.get("next_cursor").is_none()) {
            continue;
        }
        // What was sent of one offer is short, ten at most, and compared by its lines. The pick queue
        // is about what is left of each line; its pages are cut by size as all pages are.
        let Some(items) = properties.unwrap().get("items") else { continue };
        if !["/v1/offers/{id}/revisions", "/v1/pick-queue"].contains(&path.as_str()) {
            let found = with_lines(&document, items, &mut Vec::new());
            assert!(!found, "{path} has lines");
        }
        lists += 1;
    }
    assert!(lists > 20, "{lists} lists");
}

fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => schema,
    }
}

fn properties<'d>(
    document: &'d Value,
    schema: &'d Value,
) -> Option<&'d serde_json::Map<String, Value>> {
    resolved(document, schema)["properties"].as_object()
}

/// Whether a schema has lines anywhere.
fn with_lines<'d>(document: &'d Value, schema: &'d Value, seen: &mut Vec<&'d str>) -> bool {
    if let Some(reference) = schema["$ref"].as_str() {
        if seen.contains(&reference) {
            return false;
        }
        seen.push(reference);
        return with_lines(document, resolved(document, schema), seen);
    }
    match schema {
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            let own = name == "properties" && value.get("lines").is_some();
            own || with_lines(document, value, seen)
        }),
        Value::Array(items) => items.iter().any(|item| with_lines(document, item, seen)),
        _ => false,
    }
}
