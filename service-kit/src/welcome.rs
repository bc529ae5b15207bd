//! Routes without authentication: `/` describes the API, `/docs` displays its document.

use aide::redoc::Redoc;
use axum::{
    Json, Router,
    http::{HeaderMap, HeaderValue, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use serde_json::json;

/// Links of the start page.
const PLACES: [(&str, &str, &str); 4] = [
    ("docs", "/docs", "The API documentation"),
    ("openapi", "/openapi.json", "The OpenAPI document"),
    ("ready", "/health/ready", "The readiness of all parts"),
    ("metrics", "/metrics", "Figures for Prometheus"),
];
const WHAT: &str = "Kontor: orders between businesses, from offer to booked payment";
const FIRST: &str = "Every request under /v1 needs an API key: Authorization: Bearer kontor_…; \
                     README.md leads through a first order.";

/// The viewer and its script are part of the page: nothing is loaded from other hosts.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let page = Redoc::new("/openapi.json").with_title("Kontor API").html();
    let page = page.replace("https://cdn.redoc.ly/redoc/logo-mini.svg", "data:,");
    let page = axum::body::Bytes::from(page);
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let docs = async move || ([(header::CONTENT_TYPE, html.clone())], page.clone());
    Router::new().route("/", get(root)).route("/docs", get(docs))
}

async fn root(headers: HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let mut answer = if accepted.is_some_and(|accepted| accepted.contains("text/html")) {
        let places =
            PLACES.map(|(_, path, what)| format!("<li><a href=\"{path}\">{path}</a>: {what}</li>"));
        let places = places.concat();
        Html(format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Kontor</title></head>\
             <body><h1>Kontor</h1><p>{WHAT}</p><p>{FIRST}</p><ul>{places}</ul></body></html>"
        ))
        .into_response()
    } else {
        let mut answer = json!({
            "name": "Kontor",
            "version": env!("CARGO_PKG_VERSION"),
            "description": WHAT,
            "authentication": FIRST,
        });
        for (name, path, _) in PLACES {
            answer[name] = json!(path);
        }
        Json(answer).into_response()
    };
    answer.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    answer
}
