//! What policies tell about themselves.

use service_kit::metric::Metric;

/// Every metric of the policies.
pub const METRICS: &[Metric] = &[
    Metric::labelled("kontor_policy_position", "the last position whose consequences are drawn"),
    Metric::labelled("kontor_policy_refusals_total", "consequences that a rule forbade"),
    Metric::labelled("kontor_policy_failures_total", "times a policy had to try again"),
];
