//! The failing items of a timer, with time and reason.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use metrics::{Gauge, counter, gauge};
use service_kit::health::State;
use uuid::Uuid;

/// The failing items of one timer.
pub struct Failing {
    timer: &'static str,
    inner: Mutex<Inner>,
    count: Gauge,
}

#[derive(Default)]
struct Inner {
    items: BTreeMap<Uuid, Failure>,
    /// The number of the round, to remove items that are not due any more.
    round: u64,
    /// Why the last round was not completed.
    unfinished: Option<String>,
    /// The number of failed items in this round beyond [`Failing::MOST`].
    beyond: usize,
}

struct Failure {
    why: String,
    since: Timestamp,
    /// The last round in which it failed.
    round: u64,
    /// Whether it is more than a refusal due to a lagging read model.
    is_shown: bool,
}

impl Failing {
    /// The maximum number of recorded items.
    const MOST: usize = 1_000;
    /// The maximum number of items named by health.
    const NAMED: usize = 3;
    /// The maximum length of a reason in bytes.
    const LONGEST: usize = 500;

    /// No failures.
    pub fn new(timer: &'static str) -> Self {
        let count = gauge!("kontor_timer_failing_items", "timer" => timer);
        Self { timer, inner: Mutex::default(), count }
    }

    pub(super) fn timer(&self) -> &'static str {
        self.timer
    }

    pub(super) fn round_begins(&self) {
        let mut inner = self.inner();
        inner.round += 1;
        inner.beyond = 0;
    }

    pub(super) fn succeeded(&self, item: Uuid) {
        self.inner().items.remove(&item);
    }

    /// Records a failure; a refusal is shown if it occurs in two rounds.
    pub(super) fn failed(&self, item: Uuid, why: String, is_refusal: bool) {
        let mut why = why;
        why.truncate(why.floor_char_boundary(Self::LONGEST));
        counter!("kontor_timer_failures_total", "timer" => self.timer).increment(1);
        let mut inner = self.inner();
        let round = inner.round;
        let before = inner.items.get(&item);
        let is_shown = !is_refusal || before.is_some();
        if is_shown && before.is_none_or(|before| !before.is_shown || before.why != why) {
            tracing::error!(timer = self.timer, %item, why, "an item of a timer failed");
        }
        let since = before.map_or_else(Timestamp::now, |before| before.since);
        if before.is_none() && inner.items.len() >= Self::MOST {
            inner.beyond += 1;
            return;
        }
        inner.items.insert(item, Failure { why, since, round, is_shown });
    }

    /// Removes items that were not due in this round, if the round was completed.
    pub(super) fn round_ended(&self, unfinished: Option<String>) {
        let mut inner = self.inner();
        let round = inner.round;
        if unfinished.is_none() {
            inner.items.retain(|_, failure| failure.round == round);
        }
        inner.unfinished = unfinished;
        #[allow(clippy::cast_precision_loss, reason = "a metric is a float")]
        self.count.set(inner.count() as f64);
    }

    /// Degraded while items fail or due items cannot be read.
    pub fn state(&self) -> State {
        let inner = self.inner();
        let mut details: Vec<String> = inner.unfinished.iter().cloned().collect();
        if inner.count() > 0 {
            let mut shown: Vec<_> =
                inner.items.iter().filter(|(_, failure)| failure.is_shown).collect();
            shown.sort_by_key(|(_, failure)| failure.since);
            let named: Vec<String> = shown
                .iter()
                .take(Self::NAMED)
                .map(|(id, Failure { since, why, .. })| format!("since {since:.0} {id}: {why}"))
                .collect();
            let count = inner.count();
            details.push(format!("{count} of {} fail, {}", self.timer, named.join("; ")));
        }
        if details.is_empty() { State::Ok } else { State::Degraded { detail: details.join("; ") } }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn count(&self) -> usize {
        self.items.values().filter(|failure| failure.is_shown).count() + self.beyond
    }
}
