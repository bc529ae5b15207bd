//! Metrics with descriptions, which exist from the start of the process.

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name, such as `kontor_append_seconds`.
    pub name: &'static str,
    kind: Kind,
    meaning: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
    /// A counter or gauge with one series per label value.
    Labelled,
}

impl Metric {
    /// Counts events; it starts at 0.
    pub const fn counter(name: &'static str, meaning: &'static str) -> Self {
        Self { name, kind: Kind::Counter, meaning }
    }

    /// The current value; it starts at 0.
    pub const fn gauge(name: &'static str, meaning: &'static str) -> Self {
        Self { name, kind: Kind::Gauge, meaning }
    }

    /// The distribution of values.
    pub const fn histogram(name: &'static str, meaning: &'static str) -> Self {
        Self { name, kind: Kind::Histogram, meaning }
    }

    /// A counter (by its name: `…_total`), gauge or histogram (`…_seconds`) with labels.
    pub const fn labelled(name: &'static str, meaning: &'static str) -> Self {
        Self { name, kind: Kind::Labelled, meaning }
    }

    /// Registers the metric with its description.
    pub(crate) fn register(self) {
        let Self { name, kind, meaning } = self;
        match kind {
            Kind::Counter => {
                describe_counter!(name, meaning);
                counter!(name).increment(0);
            }
            Kind::Gauge => {
                describe_gauge!(name, meaning);
                gauge!(name).set(0.0);
            }
            Kind::Histogram => {
                describe_histogram!(name, meaning);
                let _ = histogram!(name);
            }
            Kind::Labelled if name.ends_with("_total") => describe_counter!(name, meaning),
            Kind::Labelled if name.ends_with("_seconds") => describe_histogram!(name, meaning),
            Kind::Labelled => describe_gauge!(name, meaning),
        }
    }
}
