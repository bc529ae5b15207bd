//! The HTTP server: what holds for every route, and the documents about them.

use std::{any::Any, time::Duration};

use aide::{
    axum::ApiRouter,
    generate::GenContext,
    openapi::{
        Info, OpenApi, Operation, Parameter, ParameterData, ParameterSchemaOrContent, ReferenceOr,
        SecurityScheme,
    },
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{health::Health, problem::Problem, scrape::Scrape, telemetry, unread};

/// How large a body may be, in bytes.
pub const MAX_BODY: usize = 2 << 20;

/// Makes a server of the documented routes: adds `/openapi.json`, health and metrics, and answers
/// whatever goes wrong on the way with a problem document. What begins with one of `slow` may take
/// ten minutes, the others thirty seconds.
pub fn serve(
    api: ApiRouter,
    slow: &'static [&'static str],
    health: Health,
    metrics: impl Fn() -> String + Send + Sync + 'static,
) -> Router {
    let mut document = OpenApi {
        info: Info {
            title: "Kontor".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: Some("Orders between businesses, from offer to booked payment".to_owned()),
            ..Info::default()
        },
        ..OpenApi::default()
    };
    let router = api.finish_api_with(&mut document, |document| {
        document.security_scheme(
            "api_key",
            SecurityScheme::Http {
                scheme: "bearer".to_owned(),
                bearer_format: Some("kontor_<id>_<secret>".to_owned()),
                description: Some("An API key; see `kontor token create`.".to_owned()),
                extensions: Default::default(),
            },
        )
    });
    let document = axum::body::Bytes::from(
        serde_json::to_vec(&document).expect("an OpenAPI document holds nothing but JSON"),
    );
    let scrape = Scrape::new(metrics);
    let openapi = async move || ([("content-type", "application/json")], document);
    router
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
        .layer(middleware::map_response(guarded))
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

/// Documents a header that an operation reads.
pub fn header_parameter(
    ctx: &mut GenContext,
    operation: &mut Operation,
    name: &str,
    description: &str,
) {
    let json_schema = ctx.schema.subschema_for::<String>();
    operation.parameters.push(ReferenceOr::Item(Parameter::Header {
        parameter_data: ParameterData {
            name: name.to_owned(),
            description: Some(description.to_owned()),
            required: false,
            deprecated: None,
            format: ParameterSchemaOrContent::Schema(aide::openapi::SchemaObject {
                json_schema,
                external_docs: None,
                example: None,
            }),
            example: None,
            examples: Default::default(),
            explode: None,
            extensions: Default::default(),
        },
        style: Default::default(),
    }));
}
