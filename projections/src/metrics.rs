//! What read models tell about themselves.

use service_kit::metric::Metric;

/// Every metric of the read models.
pub const METRICS: &[Metric] = &[
    Metric::labelled("kontor_projection_position", "the last position that a read model shows"),
    Metric::labelled("kontor_projection_lag_events", "events that a read model does not show yet"),
    Metric::labelled("kontor_projection_stopped", "1 while a read model does not go on"),
    Metric::labelled("kontor_projection_set_aside", "streams that a read model leaves out"),
];
