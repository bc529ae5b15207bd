//! Metrics of live connections.

use service_kit::metric::Metric;

/// All metrics of live connections.
pub const METRICS: &[Metric] = &[
    Metric::gauge("kontor_live_connections", "open live connections"),
    Metric::counter(
        "kontor_live_lagged_total",
        "times a live connection fell behind and resumed from the log",
    ),
];
