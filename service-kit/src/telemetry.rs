//! Traces and metrics.

use std::{io::IsTerminal, time::Instant};

use aide::OperationInput;
use axum::{
    extract::{FromRequestParts, MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, request::Parts},
    middleware::Next,
    response::Response,
};
use metrics::{counter, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::Instrument;
use tracing_subscriber::{EnvFilter, fmt};
use uuid::Uuid;

use crate::{metric::Metric, problem::Problem};

/// The header with the correlation id.
pub(crate) const CORRELATION: HeaderName = HeaderName::from_static("x-correlation-id");

/// Starts logging to standard error: `KONTOR_LOG` filters (`info` by default, without messages of
/// the NATS client), and `KONTOR_LOG_FORMAT=json` prints a JSON object per line. Colours are used
/// only on terminals.
pub fn log() {
    let filter = EnvFilter::try_from_env("KONTOR_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,async_nats=warn,tokio_postgres=warn"));
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours());
    // A second start, as in tests, has no effect.
    let _ = if std::env::var("KONTOR_LOG_FORMAT").is_ok_and(|format| format == "json") {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
}

/// Whether to use colours: on a terminal, unless `NO_COLOR` is set.
fn colours() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty())
}

/// All metrics of HTTP.
pub const METRICS: &[Metric] = &[
    Metric::gauge("kontor_http_connections", "open connections"),
    Metric::counter("kontor_http_connections_cut_total", "connections closed at a time limit"),
    Metric::counter("kontor_http_connections_refused_total", "connections beyond the limits"),
    Metric::labelled("kontor_http_requests_total", "requests by method, route and status"),
    Metric::labelled("kontor_http_request_seconds", "from a request's head to its answer"),
];

/// The metrics of the process. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Starts to collect metrics; known ones are registered with their descriptions.
    pub fn collect(known: impl IntoIterator<Item = &'static Metric>) -> Result<Self, BuildError> {
        const SECONDS: [f64; 14] =
            [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
        const COUNTS: [f64; 12] =
            [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0];
        let mut builder = PrometheusBuilder::new();
        for (suffix, buckets) in
            [("_seconds", &SECONDS[..]), ("_commands", &COUNTS), ("_messages", &COUNTS)]
        {
            builder =
                builder.set_buckets_for_metric(Matcher::Suffix(suffix.to_owned()), buckets)?;
        }
        let handle = builder.install_recorder()?;
        known.into_iter().for_each(|metric| metric.register());
        metrics_process::Collector::default().describe();
        Ok(Self(handle))
    }

    /// The metrics in the format of Prometheus, with those of the operating system about the
    /// process.
    pub fn render(&self) -> String {
        metrics_process::Collector::default().collect();
        self.0.render()
    }

    /// Aggregates the values recorded since the last call. Without this call or a rendering, each
    /// recorded value takes memory.
    pub fn keep_up(&self) {
        self.0.run_upkeep();
    }
}

/// The correlation id: the client's `X-Correlation-Id`, or a new one.
#[derive(Debug, Clone, Copy)]
pub struct Correlation(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Correlation {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or_else(|| Self(Uuid::now_v7())))
    }
}

impl OperationInput for Correlation {}

/// Adds a span, a correlation id, a counter and a duration to every request.
pub async fn observe(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let correlation = request
        .headers()
        .get(CORRELATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(Uuid::now_v7);
    request.extensions_mut().insert(Correlation(correlation));
    let method = known_method(request.method());
    // The pattern of the route, not the path: ids would create a series per resource.
    let pattern = request.extensions().get::<MatchedPath>().cloned();
    let route = pattern.as_ref().map_or("unmatched", MatchedPath::as_str);
    let span = tracing::info_span!("request", %method, %route, %correlation);
    let mut response = next.run(request).instrument(span).await;
    let labels = [
        ("method", method.to_owned()),
        ("route", route.to_owned()),
        ("status", response.status().as_str().to_owned()),
    ];
    counter!("kontor_http_requests_total", &labels).increment(1);
    histogram!("kontor_http_request_seconds", &labels[..2]).record(started.elapsed());
    if let Ok(value) = HeaderValue::from_str(&correlation.to_string()) {
        response.headers_mut().insert(CORRELATION, value);
    }
    response
}

/// A method of HTTP, or `other`: client input must not become a label value.
fn known_method(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] =
        ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_those_of_http_or_other() {
        for (method, known) in
            [("GET", "GET"), ("PATCH", "PATCH"), ("get", "other"), ("XYZ", "other")]
        {
            assert_eq!(known_method(&method.parse().unwrap()), known);
        }
    }
}
