//! What anybody may take of the process: connections, memory, the size of what it tells of itself.

use std::time::Duration;

use futures::future::join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::house::{House, PATIENCE, Setting, directory};

/// A house that soon closes what is silent.
async fn impatient() -> House {
    let soon = |name| (name, "1".to_owned());
    let environment = vec![soon("KONTOR_HEAD_TIMEOUT"), soon("KONTOR_IDLE_TIMEOUT")];
    House::start_in(directory(), Setting { environment, ..Setting::default() }).await
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
    let house = impatient().await;
    let url = house.address().url();
    let address = url.strip_prefix("http://").unwrap();
    let silent = join_all((0..50).map(|_| until_closed(address, ""))).await;
    assert!(silent.iter().all(Vec::is_empty));
    until_closed(address, "GET /health/live HTTP/1.1\r\nhost: k\r\nx-slow: ").await;
    let answered = until_closed(address, "GET /health/live HTTP/1.1\r\nhost: k\r\n\r\n").await;
    assert!(answered.starts_with(b"HTTP/1.1 200"), "a whole request is answered first");
    let metrics = house.text("/metrics").await;
    assert!(metrics.contains("kontor_http_connections_cut_total 52"), "{metrics}");
}

/// Each of the invented texts could become a label, and every label stays for ever.
#[tokio::test]
async fn what_clients_invent_leaves_nothing_in_the_metrics() {
    let house = House::start().await;
    let url = house.address().url();
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
    let before = house.text("/metrics").await;
    for first in (1..2_000).step_by(20) {
        join_all((first..first + 20).map(&ask)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let after = house.text("/metrics").await;
    assert!(!after.to_lowercase().contains("invented"), "{after}");
    let [before, after] = [before, after].map(|text| text.lines().count());
    assert!(after < before + 100, "{before} lines became {after}");
}

#[tokio::test]
async fn no_answer_is_kept_between_or_taken_for_something_else() {
    let house = House::start().await;
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
        for key in [Some(house.key("admin")), None] {
            let mut request = client.get(format!("{}{path}", house.address().url()));
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
