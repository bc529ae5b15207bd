//! What policies and timers tell about themselves.

use service_kit::metric::Metric;

/// Every metric of policies and timers.
pub const METRICS: &[Metric] = &[
    Metric::labelled("kontor_policy_position", "the last position whose consequences are drawn"),
    Metric::labelled("kontor_policy_refusals_total", "consequences that a rule forbade"),
    Metric::labelled("kontor_policy_failures_total", "times a policy had to try again"),
    Metric::labelled("kontor_timer_failures_total", "items of a timer that failed, at each try"),
    Metric::labelled("kontor_timer_failing_items", "items of a timer that fail now"),
];
