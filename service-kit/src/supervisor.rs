//! Background tasks of a process: a task that ends unexpectedly is restarted.

use std::{
    any::Any,
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::FutureExt;
use jiff::Timestamp;
use metrics::counter;
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{health::State, metric::Metric};

/// Every metric of background tasks.
pub const METRICS: &[Metric] = &[
    Metric::labelled("kontor_task_panics_total", "panics of background tasks, by task"),
    Metric::labelled(
        "kontor_task_restarts_total",
        "background tasks started again after a panic or an unexpected return, by task",
    ),
];

/// The first pause before a task is started again; each further one is twice as long.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause before a task is started again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// After a run of this length a task counts as healthy, and the backoff is reset.
const WELL_AFTER: Duration = Duration::from_mins(1);

/// Runs background tasks until cancelled. A task that panics, or returns before that, is logged,
/// counted, shown by [`Supervisor::state`] and started again. Cheap to clone.
#[derive(Clone)]
pub struct Supervisor {
    cancel: CancellationToken,
    failures: Arc<Mutex<BTreeMap<String, Failure>>>,
}

/// A supervisor without health check, for tests.
impl From<&CancellationToken> for Supervisor {
    fn from(cancel: &CancellationToken) -> Self {
        Self::new(cancel.clone())
    }
}

impl From<&Self> for Supervisor {
    fn from(supervisor: &Self) -> Self {
        supervisor.clone()
    }
}

/// The last failure of a task.
struct Failure {
    /// The number of failures since it was last healthy.
    times: u32,
    what: String,
    at: Timestamp,
    /// When it was restarted; `None` during the pause.
    restarted: Option<Instant>,
}

impl Supervisor {
    /// A supervisor without tasks.
    pub fn new(cancel: CancellationToken) -> Self {
        Self { cancel, failures: Arc::default() }
    }

    /// The token that cancels all tasks.
    pub fn cancel(&self) -> &CancellationToken {
        &self.cancel
    }

    /// Starts a task that is dropped when the supervisor is cancelled.
    pub fn run<F>(
        &self,
        name: impl Into<String>,
        task: impl Fn() -> F + Send + Sync + 'static,
    ) -> JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let cancel = self.cancel.clone();
        self.run_to_end(name, move || {
            let (cancel, task) = (cancel.clone(), task());
            async move {
                cancel.run_until_cancelled(task).await;
            }
        })
    }

    /// Starts a task that ends by itself after the supervisor was cancelled.
    pub fn run_to_end<F>(
        &self,
        name: impl Into<String>,
        task: impl Fn() -> F + Send + Sync + 'static,
    ) -> JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        tokio::spawn(self.clone().keep(name.into(), task))
    }

    async fn keep<F: Future<Output = ()> + Send>(self, name: String, task: impl Fn() -> F) {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let started = Instant::now();
            let ended = AssertUnwindSafe(async { task().await }).catch_unwind().await;
            let panic = ended.err().map(|panic| panic_message(&*panic).to_owned());
            if panic.is_none() && self.cancel.is_cancelled() {
                return;
            }
            if started.elapsed() >= WELL_AFTER {
                pause = SHORTEST_PAUSE;
            }
            self.record(&name, panic, pause);
            if self.cancel.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
            counter!("kontor_task_restarts_total", "task" => name.clone()).increment(1);
            if let Some(failure) = self.failures().get_mut(&name) {
                failure.restarted = Some(Instant::now());
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn record(&self, name: &str, panic: Option<String>, pause: Duration) {
        let what = match panic {
            Some(message) => {
                counter!("kontor_task_panics_total", "task" => name.to_owned()).increment(1);
                format!("panicked: {message}")
            }
            None => "returned".to_owned(),
        };
        tracing::error!(task = name, what, ?pause, "a background task ended and is restarted");
        let mut failures = self.failures();
        let times = failures
            .get(name)
            .filter(|failure| !failure.is_over())
            .map_or(0, |failure| failure.times);
        let failure =
            Failure { times: times.saturating_add(1), what, at: Timestamp::now(), restarted: None };
        failures.insert(name.to_owned(), failure);
    }

    /// Ok while every task runs; degraded from the failure of a task until it has run for a while.
    pub fn state(&self) -> State {
        let mut failures = self.failures();
        failures.retain(|_, failure| !failure.is_over());
        if failures.is_empty() {
            return State::Ok;
        }
        let details: Vec<String> = failures
            .iter()
            .map(|(name, Failure { times, what, at, restarted })| {
                let now = if restarted.is_some() { "restarted" } else { "restarts soon" };
                format!("{name} {what} (at {at:.0}, {times} times in a row; {now})")
            })
            .collect();
        State::Degraded { detail: details.join("; ") }
    }

    fn failures(&self) -> MutexGuard<'_, BTreeMap<String, Failure>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failure {
    /// Whether the task has been healthy since.
    fn is_over(&self) -> bool {
        self.restarted.is_some_and(|restarted| restarted.elapsed() >= WELL_AFTER)
    }
}

/// The message of a caught panic, bounded in length.
pub fn panic_message(panic: &(dyn Any + Send)) -> &str {
    const MOST: usize = 500;
    let message = panic
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message");
    &message[..message.floor_char_boundary(MOST)]
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn supervisor() -> (Supervisor, CancellationToken) {
        let cancel = CancellationToken::new();
        (Supervisor::new(cancel.clone()), cancel)
    }

    fn detail(supervisor: &Supervisor) -> String {
        match supervisor.state() {
            State::Degraded { detail } => detail,
            state => panic!("{state:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_restarted_and_shown_until_it_has_run_well() {
        let (supervisor, cancel) = supervisor();
        assert_eq!(supervisor.state(), State::Ok);
        let runs = Arc::new(AtomicU32::new(0));
        let counted = runs.clone();
        let task = supervisor.run("clock", move || {
            let run = counted.fetch_add(1, Ordering::Relaxed);
            async move {
                assert!(run >= 3, "broken spring {run}");
                std::future::pending::<()>().await;
            }
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        let first = detail(&supervisor);
        assert!(first.starts_with("clock panicked: broken spring 0 (at "), "{first}");
        assert!(first.ends_with(", 1 times in a row; restarts soon)"), "{first}");
        // 100 ms, 200 ms and 400 ms of pauses.
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(runs.load(Ordering::Relaxed), 4);
        let last = detail(&supervisor);
        assert!(last.starts_with("clock panicked: broken spring 2 (at "), "{last}");
        assert!(last.ends_with(", 3 times in a row; restarted)"), "{last}");
        tokio::time::sleep(WELL_AFTER).await;
        assert_eq!(supervisor.state(), State::Ok);
        cancel.cancel();
        task.await.unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_returns_is_restarted_with_growing_pauses() {
        let (supervisor, cancel) = supervisor();
        let runs = Arc::new(AtomicU32::new(0));
        let counted = runs.clone();
        let task = supervisor.run("short", move || {
            counted.fetch_add(1, Ordering::Relaxed);
            std::future::ready(())
        });
        tokio::time::sleep(Duration::from_mins(10)).await;
        // 9 pauses of less than 30 s take 51 s, the others 30 s each.
        let runs_so_far = runs.load(Ordering::Relaxed);
        assert!((25..30).contains(&runs_so_far), "{runs_so_far}");
        assert!(detail(&supervisor).starts_with("short returned"), "{}", detail(&supervisor));
        cancel.cancel();
        task.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_ends_when_asked_to_is_not_restarted() {
        let (supervisor, cancel) = supervisor();
        let asked = cancel.clone();
        let task = supervisor.run_to_end("tidy", move || asked.clone().cancelled_owned());
        cancel.cancel();
        task.await.unwrap();
        assert_eq!(supervisor.state(), State::Ok);
    }
}
