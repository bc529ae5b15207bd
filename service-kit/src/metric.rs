//! A metric with its meaning, so that every figure explains itself and is there from the start.

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
    /// A counter or gauge that comes once for each value of a label.
    Labelled,
}

impl Metric {
    /// Counts what has happened; it starts at 0.
    pub const fn counter(name: &'static str, meaning: &'static str) -> Self {
        Self { name, kind: Kind::Counter, meaning }
    }

    /// How it is now; it starts at 0.
    pub const fn gauge(name: &'static str, meaning: &'static str) -> Self {
        Self { name, kind: Kind::Gauge, meaning }
    }

    /// How often which values came.
    pub const fn histogram(name: &'static str, meaning: &'static str) -> Self {
        Self { name, kind: Kind::Histogram, meaning }
    }

    /// A counter (by its name: `…_total`), gauge or histogram (`…_seconds`) with labels.
    pub const fn labelled(name: &'static str, meaning: &'static str) -> Self {
        Self { name, kind: Kind::Labelled, meaning }
    }

    /// Tells the recorder what it means, and that it is there.
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
