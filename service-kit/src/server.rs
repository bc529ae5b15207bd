//! The HTTP server: common behaviour of all routes, and the documentation routes.

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

/// The maximum size of a body in bytes.
pub const MAX_BODY: usize = 2 << 20;

/// Builds a server from the documented routes: adds `/`, `/docs`, `/openapi.json`, health and
/// metrics, and converts every error into a problem document. Requests to paths that begin with one
/// of `slow` may take ten minutes, others thirty seconds.
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
        .layer(middleware::from_fn(unread::read_whole_body))
        .layer(middleware::from_fn(telemetry::observe))
        .layer(middleware::map_response(guarded));
    browsers::serve(router, origins)
}

/// Forbids shared caches to store responses, and browsers to guess media types. Responses that are
/// not part of the API may set their own cache headers.
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

/// The time limit of a request.
const PATIENCE: Duration = Duration::from_secs(30);
/// The time limit of a request with large uploads or downloads.
const LONG: Duration = Duration::from_mins(10);

/// Ends a request that exceeds its time limit. Recorded events stay recorded: the same command with
/// the same key returns the stored outcome.
async fn in_time(slow: &[&str], request: Request, next: Next) -> Response {
    let is_slow = slow.iter().any(|path| request.uri().path().starts_with(path));
    let patience = if is_slow { LONG } else { PATIENCE };
    tokio::time::timeout(patience, next.run(request)).await.unwrap_or_else(|_| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timed_out")
            .detail("the request took too long; repeat it with the same Idempotency-Key")
            .retry_after(1)
            .into_response()
    })
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked; the panic itself is on standard error");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal")
        .detail("an internal error occurred; it has been logged")
        .into_response()
}
