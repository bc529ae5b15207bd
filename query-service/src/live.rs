//! What happens, to those who watch or wait, as it happens.
//!
//! One task per process follows the log and tells all connections; a connection that has just come
//! back, or has fallen behind, first reads on in the log from the position that it has seen. So it
//! misses nothing and receives nothing twice, and holds no more memory than what is on its way.

mod occurrence;
mod watcher;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{http::StatusCode, response::sse};
use domain::history::{DISCLOSED_BY, INTERNAL};
use event_log::{Direction, EventLog, Lookup, Position, RecordedEvent};
use metrics::gauge;
use service_kit::{
    access::{Access, Principal},
    problem::Problem,
    supervisor::Supervisor,
};
use tokio::sync::{
    broadcast::{self, error::RecvError},
    mpsc,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) use self::occurrence::{Happened, Occurrence, Watching};

/// How many connections one key has at once.
pub const MOST_OF_A_KEY: usize = 10;
/// How many connections one process has at once.
pub const MOST: usize = 1_000;

/// How many occurrences are kept for connections that are slow.
const KEPT: usize = 1_024;
/// How many pages are kept for those who wait.
const PASSED: usize = 64;
/// How many events are read at once.
const PAGE: usize = 500;

/// Those who watch, and who tells them. Cheap to clone.
#[derive(Clone)]
pub struct Live {
    shared: Arc<Shared>,
}

struct Shared {
    log: EventLog,
    access: Access,
    occurrences: broadcast::Sender<Arc<Occurrence>>,
    /// What was read last of the log, without its payloads, for those who wait for something there.
    passed: broadcast::Sender<Arc<[RecordedEvent]>>,
    seats: Mutex<HashMap<u64, Taken>>,
    next: AtomicU64,
    cancel: CancellationToken,
    /// The last position that was published or skipped.
    reached: AtomicU64,
}

/// A connection as others see it.
struct Taken {
    principal: Principal,
    end: CancellationToken,
}

/// A connection's place among those that are allowed, until it is dropped.
pub(crate) struct Seat {
    live: Live,
    number: u64,
    /// Its key opens nothing any more, or the process stops.
    end: CancellationToken,
}

impl Live {
    /// Starts to follow the log from its end, until the supervisor is cancelled.
    pub async fn start(
        log: EventLog,
        access: Access,
        supervisor: impl Into<Supervisor>,
    ) -> Result<Self, event_log::Error> {
        let supervisor = supervisor.into();
        let head = log.head().await?;
        let shared = Shared {
            log,
            access,
            occurrences: broadcast::Sender::new(KEPT),
            passed: broadcast::Sender::new(PASSED),
            seats: Mutex::default(),
            next: AtomicU64::default(),
            cancel: supervisor.cancel().clone(),
            reached: AtomicU64::new(head.0),
        };
        let live = Self { shared: Arc::new(shared) };
        let (feed, keys) = (live.clone(), live.clone());
        supervisor.run("live feed", move || feed.clone().follow());
        supervisor.run("keys of live connections", move || keys.clone().check_keys());
        Ok(live)
    }

    /// Lets somebody watch, from after a position on or from now on; the frames come until the key
    /// opens nothing any more, the process stops or nobody takes them.
    pub(crate) async fn watch(
        &self,
        principal: &Principal,
        watching: Watching,
        after: Option<Position>,
    ) -> Result<mpsc::Receiver<sse::Event>, Problem> {
        let seat = self.seat(principal)?;
        // What is published from here on cannot be missed; the rest is in the log up to its head.
        let occurrences = self.shared.occurrences.subscribe();
        let head = self.shared.log.head().await.map_err(|error| unread(&error))?;
        if after.is_some_and(|after| after > head) {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "position.invalid")
                .detail(format!("history has got to position {head} only")));
        }
        Ok(watcher::start(
            self.shared.log.clone(),
            seat,
            occurrences,
            watching,
            after.unwrap_or(head),
        ))
    }

    /// Begins to listen to the log for somebody who waits for an event: what is recorded from here
    /// on is not missed. It costs no query, however many wait.
    pub(crate) fn wait(&self, principal: &Principal) -> Result<Waiting, Problem> {
        let seat = self.seat(principal)?;
        Ok(Waiting { passed: self.shared.passed.subscribe(), seat })
    }

    fn seat(&self, principal: &Principal) -> Result<Seat, Problem> {
        let mut seats = self.seats();
        let of_key = seats.values().filter(|taken| taken.principal.key == principal.key).count();
        if of_key >= MOST_OF_A_KEY {
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "live.too_many_of_key")
                .detail(format!("a key has at most {MOST_OF_A_KEY} live connections at once"))
                .retry_after(15));
        }
        if seats.len() >= MOST {
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "live.full")
                .detail("as many watch as can be told; ask without watching, or try again")
                .retry_after(15));
        }
        let number = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let end = self.shared.cancel.child_token();
        seats.insert(number, Taken { principal: principal.clone(), end: end.clone() });
        gauge!("kontor_live_connections").increment(1.0);
        Ok(Seat { live: self.clone(), number, end })
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<u64, Taken>> {
        self.shared.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn follow(self) {
        let mut written = self.shared.log.reached();
        loop {
            written.mark_unchanged();
            match self.publish().await {
                Ok(true) => {}
                Ok(false) => {
                    // The sender lives as long as the log.
                    let _ = written.changed().await;
                }
                Err(error) => {
                    tracing::warn!(%error, "watchers wait for the log");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// Tells what has happened since; says whether there is more. An event at which it panics is
    /// passed over by the next run.
    async fn publish(&self) -> Result<bool, event_log::Error> {
        let Shared { log, occurrences, passed, reached, .. } = &*self.shared;
        let nobody = || occurrences.receiver_count() == 0 && passed.receiver_count() == 0;
        if nobody() {
            // Who begins to watch after the second look finds the head here or beyond.
            let head = *log.reached().borrow();
            if nobody() {
                reached.store(head.0, Ordering::Relaxed);
                return Ok(false);
            }
        }
        let page = log.follow(Position(reached.load(Ordering::Relaxed)), PAGE).await?;
        let more = page.len() == PAGE;
        for event in &page {
            let before = reached.swap(event.position.0, Ordering::Relaxed);
            if occurrences.receiver_count() == 0 || !occurrence::concerns(event) {
                continue;
            }
            let disclosed = is_disclosed(log, event)
                .await
                .inspect_err(|_| reached.store(before, Ordering::Relaxed))?;
            if let Some(occurrence) = Occurrence::of(event, disclosed) {
                // Nobody watches any more: then nobody misses it.
                let _ = occurrences.send(Arc::new(occurrence));
            }
        }
        if !page.is_empty() && passed.receiver_count() > 0 {
            let without = |event: &Arc<RecordedEvent>| RecordedEvent {
                payload: String::new(),
                ..(**event).clone()
            };
            let _ = passed.send(page.iter().map(without).collect());
        }
        Ok(more)
    }

    /// Ends connections whose key was revoked, or opens something else than when they came.
    async fn check_keys(self) {
        loop {
            tokio::time::sleep(Access::MEMORY).await;
            let keys: Vec<Uuid> = self.seats().values().map(|taken| taken.principal.key).collect();
            if keys.is_empty() {
                continue;
            }
            match self.shared.access.principals(&keys).await {
                Ok(principals) => {
                    for Taken { principal, end } in self.seats().values() {
                        // Who came meanwhile has shown a key just now.
                        if keys.contains(&principal.key)
                            && principals.get(&principal.key) != Some(principal)
                        {
                            end.cancel();
                        }
                    }
                }
                Err(error) => tracing::warn!(%error, "the keys of watchers cannot be checked"),
            }
        }
    }
}

/// Somebody who waits for an event, until dropped.
pub(crate) struct Waiting {
    passed: broadcast::Receiver<Arc<[RecordedEvent]>>,
    seat: Seat,
}

impl Waiting {
    /// Waits for an event that a lookup may find; `false` when the key opens nothing any more or the
    /// process stops.
    pub(crate) async fn for_one(&mut self, lookup: &Lookup) -> bool {
        loop {
            let passed = tokio::select! {
                () = self.seat.end.cancelled() => return false,
                passed = self.passed.recv() => passed,
            };
            match passed {
                Ok(events) if events.iter().any(|event| lookup.may_find(event)) => return true,
                Ok(_) => {}
                // What was passed over is in the log.
                Err(RecvError::Lagged(_)) => return true,
                Err(RecvError::Closed) => return false,
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.live.seats().remove(&self.number);
        gauge!("kontor_live_connections").decrement(1.0);
    }
}

/// Whether its company may know of an event, as [`Lookup::disclosed`] says.
async fn is_disclosed(log: &EventLog, event: &RecordedEvent) -> Result<bool, event_log::Error> {
    let (kind, event_type) = (event.stream_type.as_str(), event.event_type.as_str());
    if INTERNAL.contains(&event_type) {
        return Ok(false);
    }
    if !DISCLOSED_BY.iter().any(|(of, by)| *of == kind && *by != event_type) {
        return Ok(true);
    }
    let own = Lookup { stream_id: Some(event.stream_id), disclosed: true, ..Lookup::default() };
    let after = Position(event.position.0 + 1);
    let found = log.find(&own, Direction::Backwards, Some(after), 1).await?;
    Ok(found.first().is_some_and(|found| found.position == event.position))
}

fn unread(error: &event_log::Error) -> Problem {
    if error.is_transient() {
        Problem::unavailable("the log does not answer")
    } else {
        Problem::internal(error)
    }
}
