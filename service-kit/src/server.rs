//! The HTTP server: what holds for every route, and the documents about them.

use std::{any::Any, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    browsers::{self, Origins},
    document::Described,
    health::Health,
    parameters::{self, Parameters},
    problem::Problem,
    scrape::Scrape,
    telemetry, unread, welcome,
};

/// How large a body may be, in bytes.
pub const MAX_BODY: usize = 2 << 20;

/// Makes a server of the documented routes: adds `/`, `/docs`, `/openapi.json`, health and metrics, and
/// answers whatever goes wrong on the way with a problem document. What begins with one of `slow` may
/// take ten minutes, the others thirty seconds.
pub fn serve(
    Described { router, document }: Described,
    slow: &'static [&'static str],
    origins: Origins,
    health: Health,
    metrics: impl Fn() -> String + Send + Sync + 'static,
) -> Router {
    let parameters = Arc::new(Parameters::of(&document));
    let known = move |request, next| parameters::check(parameters.clone(), request, next);
    let document = Bytes::from(document.to_string());
    let scrape = Scrape::new(metrics);
    let openapi = async move || ([("content-type", "application/json")], document);
    let router = router
        .layer(middleware::from_fn(known))
        .merge(welcome::routes())
        .route("/openapi.json", get(openapi))
        .route("/health/live", get(async || "alive"))
        .route("/health/ready", get(async move || health.ready().await))
        .route("/metrics", get(async move || scrape.text().await))
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
        })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn(move |request, next| in_time(slow, request, next)))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(unread::hear_out))
        .layer(middleware::from_fn(telemetry::observe))
        .layer(middleware::map_response(guarded));
    browsers::serve(router, origins)
}

/// No answer is kept by caches between, which would show it to others, and none is taken for
/// something else than its media type says. What is no part of the API may say how it is kept.
async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let is_asset = headers
        .get(header::CACHE_CONTROL)
        .is_some_and(|value| value.to_str().is_ok_and(|value| value.contains("max-age")));
    if !is_asset {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one may take that brings or fetches very much.
const LONG: Duration = Duration::from_mins(10);

/// Gives up on a request that takes too long. What it may have recorded stays recorded: the same
/// command under the same key is answered what it did.
async fn in_time(slow: &[&str], request: Request, next: Next) -> Response {
    let is_slow = slow.iter().any(|path| request.uri().path().starts_with(path));
    let patience = if is_slow { LONG } else { PATIENCE };
    tokio::time::timeout(patience, next.run(request)).await.unwrap_or_else(|_| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timed_out")
            .detail("it took too long; ask again with the same Idempotency-Key")
            .retry_after(1)
            .into_response()
    })
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked; the panic itself is on standard error");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal")
        .detail("something broke; it has been logged")
        .into_response()
}
