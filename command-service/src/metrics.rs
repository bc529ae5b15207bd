//! Metrics of policies and timers.

use service_kit::metric::Metric;

/// All metrics of policies and timers.
pub const METRICS: &[Metric] = &[
    Metric::labelled("kontor_policy_position", "the last position that the policy has handled"),
    Metric::labelled("kontor_policy_refusals_total", "reactions refused by a rule"),
    Metric::labelled("kontor_policy_failures_total", "failed attempts that the policy repeats"),
    Metric::labelled("kontor_timer_failures_total", "items of a timer that failed, at each try"),
    Metric::labelled("kontor_timer_failing_items", "items of a timer that currently fail"),
];
