//! Access by browsers: the root, the documentation, CORS and compression.

use crate::instance::{Instance, Setting, directory};

fn header<'a>(response: &'a reqwest::Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn the_root_says_where_to_go_and_the_documentation_needs_nobody_else() {
    let instance = Instance::start().await;
    let origin = instance.address().url();
    let client = reqwest::Client::new();

    let root: serde_json::Value = client.get(&origin).send().await.unwrap().json().await.unwrap();
    assert_eq!(root["name"], "Kontor");
    for place in ["docs", "openapi", "ready", "metrics"] {
        let path = root[place].as_str().unwrap();
        let found = client.get(format!("{origin}{path}")).send().await.unwrap();
        assert_eq!(found.status(), 200, "{path}");
    }
    let html = client.get(&origin).header("Accept", "text/html,*/*").send().await.unwrap();
    assert!(header(&html, "content-type").unwrap().starts_with("text/html"));
    assert!(html.text().await.unwrap().contains("href=\"/docs\""));

    let page = instance.text("/docs").await;
    assert!(page.contains("Redoc.init(\"/openapi.json\""), "the viewer reads the document");
    assert!(!page.contains("https://cdn."), "/docs loads something from elsewhere");
    let (before, script) = page.split_once("<script>").unwrap();
    let (_, after) = script.rsplit_once("</script>").unwrap();
    for elsewhere in ["<script src", "<link", "<img"] {
        let found = before.contains(elsewhere) || after.contains(elsewhere);
        assert!(!found, "/docs has a {elsewhere}");
    }
}

#[tokio::test]
async fn only_origins_that_are_set_may_call_from_a_browser() {
    let environment = vec![("KONTOR_CORS_ORIGINS", "https://shop.example.pl".to_owned())];
    let setting = Setting { environment, ..Setting::default() };
    let open = Instance::start_in(directory(), setting).await;
    let closed = Instance::start().await;
    let ask = async |instance: &Instance, origin: &str| {
        let client = reqwest::Client::new();
        let products = format!("{}/v1/products", instance.address().url());
        let asked = client
            .request(reqwest::Method::OPTIONS, &products)
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "authorization,idempotency-key")
            .send()
            .await
            .unwrap();
        let got = client
            .get(&products)
            .bearer_auth(instance.key("admin"))
            .header("Origin", origin)
            .send()
            .await
            .unwrap();
        assert_eq!(got.status(), 200);
        (asked, got)
    };
    let (asked, got) = ask(&open, "https://shop.example.pl").await;
    for answer in [&asked, &got] {
        assert_eq!(header(answer, "access-control-allow-origin"), Some("https://shop.example.pl"));
    }
    assert!(header(&asked, "access-control-allow-headers").unwrap().contains("idempotency-key"));
    let exposed = header(&got, "access-control-expose-headers").unwrap();
    for name in ["etag", "location", "kontor-position", "x-correlation-id"] {
        assert!(exposed.contains(name), "{name} is not in {exposed}");
    }
    for (instance, origin) in [
        (&open, "https://shop.example.pl.evil.example"),
        (&open, "http://shop.example.pl"),
        (&closed, "https://shop.example.pl"),
    ] {
        let (asked, got) = ask(instance, origin).await;
        for answer in [&asked, &got] {
            assert_eq!(header(answer, "access-control-allow-origin"), None, "{origin}");
        }
    }
}

#[tokio::test]
async fn long_answers_are_compressed_and_streams_are_not() {
    let instance = Instance::start().await;
    let origin = instance.address().url();
    let client = reqwest::Client::new();
    let get = async |path: &str| {
        let request = client.get(format!("{origin}{path}")).header("Accept-Encoding", "gzip, br");
        request.bearer_auth(instance.key("admin")).send().await.unwrap()
    };
    let long = get("/openapi.json").await;
    assert_eq!(header(&long, "content-encoding"), Some("gzip"));
    assert!(header(&long, "vary").unwrap().to_lowercase().contains("accept-encoding"));
    let compressed = long.bytes().await.unwrap();
    let whole = instance.text("/openapi.json").await;
    assert_eq!(compressed[..2], [0x1f, 0x8b], "it is no gzip");
    assert!(compressed.len() * 4 < whole.len(), "{} of {}", compressed.len(), whole.len());
    for path in ["/health/live", "/v1/products?limit=1", "/v1/live"] {
        assert_eq!(header(&get(path).await, "content-encoding"), None, "{path}");
    }
}
