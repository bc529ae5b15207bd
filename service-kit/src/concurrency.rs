//! Concurrency limits for CPU-bound work of seconds: a number of permits per process, and one per
//! key, so that no client takes all. The work runs on blocking threads, not on those that serve
//! requests.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use axum::http::StatusCode;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::{self, JoinError},
    time,
};
use uuid::Uuid;

use crate::problem::Problem;

/// The longest wait for a permit.
const PATIENCE: Duration = Duration::from_secs(5);

/// The permits for one kind of work.
#[derive(Debug)]
pub struct ConcurrencyLimit {
    /// What the work is about, with which the codes of its problems begin.
    work: &'static str,
    free: Arc<Semaphore>,
    patience: Duration,
    /// One semaphore per key that works or waits.
    turns: Mutex<HashMap<Uuid, Weak<Semaphore>>>,
}

/// Why a permit is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crowded {
    /// The key has a permit already.
    OfKey,
    /// All permits are in use.
    Full,
}

/// A permit; it is released when it was dropped and all work started with it has ended, also
/// cancelled work.
#[derive(Debug, Clone)]
pub struct Permit(#[expect(dead_code, reason = "it is held")] Arc<[OwnedSemaphorePermit; 2]>);

impl ConcurrencyLimit {
    /// So many permits for work whose problems have codes that begin with its name.
    pub fn new(work: &'static str, at_once: usize) -> Self {
        let free = Arc::new(Semaphore::new(at_once));
        Self { work, free, patience: PATIENCE, turns: Mutex::default() }
    }

    /// A permit for a key. A caller that stops waiting has no permit.
    pub async fn take(&self, key: Uuid) -> Result<Permit, Problem> {
        self.permit(key).await.map_err(|crowded| self.problem(crowded))
    }

    async fn permit(&self, key: Uuid) -> Result<Permit, Crowded> {
        let end = time::Instant::now() + self.patience;
        let turn = self.turn(key).acquire_owned();
        let turn = time::timeout_at(end, turn).await.map_err(|_| Crowded::OfKey)?;
        let free = self.free.clone().acquire_owned();
        let free = time::timeout_at(end, free).await.map_err(|_| Crowded::Full)?;
        let both = [turn, free].map(|permit| permit.expect("semaphores are never closed"));
        Ok(Permit(Arc::new(both)))
    }

    fn turn(&self, key: Uuid) -> Arc<Semaphore> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        let known = turns.get(&key).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let turn = Arc::new(Semaphore::new(1));
            turns.insert(key, Arc::downgrade(&turn));
            turn
        })
    }

    fn problem(&self, crowded: Crowded) -> Problem {
        let (status, why, detail) = match crowded {
            Crowded::OfKey => {
                let detail = "a key may have one such request in progress; repeat this one when it has ended";
                (StatusCode::TOO_MANY_REQUESTS, "too_many", detail)
            }
            Crowded::Full => {
                let detail =
                    "the maximum number of such requests is in progress; repeat this one later";
                (StatusCode::SERVICE_UNAVAILABLE, "full", detail)
            }
        };
        Problem::new(status, format!("{}.{why}", self.work)).detail(detail).retry_after(5)
    }
}

impl Permit {
    /// Runs work on a blocking thread.
    pub async fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let permit = self.clone();
        task::spawn_blocking(move || {
            let _permit = permit;
            work()
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures::{FutureExt, future::join_all};

    use super::*;

    const ANNA: Uuid = Uuid::from_u128(1);
    const EWA: Uuid = Uuid::from_u128(2);
    const JAN: Uuid = Uuid::from_u128(3);

    fn permits(patience: Duration) -> ConcurrencyLimit {
        ConcurrencyLimit { patience, ..ConcurrencyLimit::new("test", 2) }
    }

    #[tokio::test]
    async fn a_key_has_one_permit_and_all_have_two() {
        let permits = permits(Duration::ZERO);
        let anna = permits.permit(ANNA).await.unwrap();
        assert_eq!(permits.permit(ANNA).await.unwrap_err(), Crowded::OfKey);
        let ewa = permits.permit(EWA).await.unwrap();
        assert_eq!(permits.permit(JAN).await.unwrap_err(), Crowded::Full);
        drop(ewa);
        let jan = permits.permit(JAN).await.unwrap();
        drop((anna, jan));
        permits.permit(ANNA).await.unwrap();
        assert_eq!(permits.turns.lock().unwrap().len(), 1, "entries of keys are removed");
    }

    #[tokio::test]
    async fn a_refused_request_has_a_retry_after() {
        let permits = permits(Duration::ZERO);
        let _anna = permits.permit(ANNA).await.unwrap();
        let of_key = serde_json::to_value(permits.take(ANNA).await.unwrap_err()).unwrap();
        let _ewa = permits.permit(EWA).await.unwrap();
        let full = serde_json::to_value(permits.take(JAN).await.unwrap_err()).unwrap();
        for (problem, status, code) in [(of_key, 429, "test.too_many"), (full, 503, "test.full")] {
            assert_eq!((&problem["status"], &problem["code"]), (&status.into(), &code.into()));
            assert_eq!(problem["retry_after"], 5);
        }
    }

    /// The requests of one key delay those of another by at most one.
    #[tokio::test]
    async fn many_of_one_key_keep_nobody_else_waiting() {
        let permits = permits(Duration::from_mins(1));
        let anna = permits.permit(ANNA).await.unwrap();
        let mut more = Box::pin(join_all((0..20).map(|_| permits.permit(ANNA))));
        assert!((&mut more).now_or_never().is_none(), "they wait");
        let ewa = permits.permit(EWA).now_or_never().expect("there is a permit").unwrap();
        drop((anna, ewa));
        let served = async {
            for permit in (&mut more).await {
                // All but the last wait for what is dropped here.
                drop(permit.unwrap());
            }
        };
        assert!(served.now_or_never().is_none(), "one request at a time");
    }

    #[tokio::test]
    async fn who_leaves_is_not_served() {
        let permits = permits(Duration::from_mins(1));
        let (anna, _ewa) =
            (permits.permit(ANNA).await.unwrap(), permits.permit(EWA).await.unwrap());
        let mut leaving = Box::pin(permits.permit(JAN));
        assert!((&mut leaving).now_or_never().is_none());
        drop(leaving);
        drop(anna);
        assert_eq!(permits.free.available_permits(), 1);
        permits.permit(JAN).now_or_never().expect("his is the only request").unwrap();
    }

    /// Work continues after its caller stopped waiting, and holds its permit until it has ended.
    #[tokio::test]
    async fn abandoned_work_keeps_its_permit() {
        let permits = permits(Duration::ZERO);
        let (go_on, wait) = mpsc::channel::<()>();
        let (ended, end) = tokio::sync::oneshot::channel();
        let permit = permits.permit(ANNA).await.unwrap();
        let work = permit.run_blocking(move || {
            wait.recv().unwrap();
            ended.send(()).unwrap();
        });
        assert!(Box::pin(work).now_or_never().is_none());
        drop(permit);
        assert_eq!(permits.permit(ANNA).await.unwrap_err(), Crowded::OfKey);
        go_on.send(()).unwrap();
        end.await.unwrap();
        let again = ConcurrencyLimit { patience: Duration::from_mins(1), ..permits };
        again.permit(ANNA).await.unwrap();
    }

    #[tokio::test]
    async fn what_panics_gives_its_permit_back() {
        let permits = permits(Duration::ZERO);
        let permit = permits.permit(ANNA).await.unwrap();
        assert!(permit.run_blocking(|| panic!("on purpose")).await.unwrap_err().is_panic());
        drop(permit);
        permits.permit(ANNA).await.unwrap();
    }
}
