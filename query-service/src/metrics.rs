//! What those who watch tell about themselves.

use service_kit::metric::Metric;

/// Every metric of live connections.
pub const METRICS: &[Metric] = &[
    Metric::gauge("kontor_live_connections", "connections that watch what happens"),
    Metric::counter(
        "kontor_live_lagged_total",
        "times a connection fell behind and went on from the log",
    ),
];
