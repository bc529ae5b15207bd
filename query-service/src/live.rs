//! The live feed: sends recorded events to connections.
//!
//! One task per process follows the log and sends events to all connections. A connection that
//! resumes or has fallen behind first reads the log from its last position, so it misses nothing
//! and receives nothing twice, and its memory is bounded.

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

/// The maximum number of connections per key.
pub const MOST_OF_A_KEY: usize = 10;
/// The maximum number of connections per process.
pub const MOST: usize = 1_000;

/// The number of occurrences kept for slow connections.
const KEPT: usize = 1_024;
/// The number of pages kept for waiting requests.
const PASSED: usize = 64;
/// The number of events read at once.
const PAGE: usize = 500;

/// The connections and the task that sends to them. Cheap to clone.
#[derive(Clone)]
pub struct Live {
    shared: Arc<Shared>,
}

struct Shared {
    log: EventLog,
    access: Access,
    occurrences: broadcast::Sender<Arc<Occurrence>>,
    /// The events read last, without payloads, for waiting requests.
    passed: broadcast::Sender<Arc<[RecordedEvent]>>,
    seats: Mutex<HashMap<u64, Taken>>,
    next: AtomicU64,
    cancel: CancellationToken,
    /// The last position that was published or skipped.
    reached: AtomicU64,
}

/// A connection in the list of connections.
struct Taken {
    principal: Principal,
    end: CancellationToken,
}

/// The entry of a connection in the list, removed when dropped.
pub(crate) struct Seat {
    live: Live,
    number: u64,
    /// Cancelled when its key is revoked or the process stops.
    end: CancellationToken,
}

impl Live {
    /// Follows the log from its head until the supervisor is cancelled.
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

    /// Opens a connection that receives events after a position, or after the head. Frames are sent
    /// until the key is revoked, the process stops or the client disconnects.
    pub(crate) async fn watch(
        &self,
        principal: &Principal,
        watching: Watching,
        after: Option<Position>,
    ) -> Result<mpsc::Receiver<sse::Event>, Problem> {
        let seat = self.seat(principal)?;
        // Subscribed before the head is read: earlier events are in the log, later ones are
        // published.
        let occurrences = self.shared.occurrences.subscribe();
        let head = self.shared.log.head().await.map_err(|error| unread(&error))?;
        if after.is_some_and(|after| after > head) {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "position.invalid")
                .detail(format!("the head of the log is position {head}")));
        }
        Ok(watcher::start(
            self.shared.log.clone(),
            seat,
            occurrences,
            watching,
            after.unwrap_or(head),
        ))
    }

    /// Subscribes a request that waits for an event; later events are not missed. Waiting costs no
    /// queries.
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
                .detail("this process has the maximum number of live connections; use /v1/events, or repeat later")
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
                    tracing::warn!(%error, "the live feed waits for the log");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// Publishes new events; returns whether there are more. An event at which it panics is skipped
    /// by the next run.
    async fn publish(&self) -> Result<bool, event_log::Error> {
        let Shared { log, occurrences, passed, reached, .. } = &*self.shared;
        let nobody = || occurrences.receiver_count() == 0 && passed.receiver_count() == 0;
        if nobody() {
            // A connection that opens after the second check reads a head at or beyond this
            // position.
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
                // There are no receivers.
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

    /// Ends connections whose key was revoked or has another role or company than before.
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
                        // Connections opened in the meantime have just been authenticated.
                        if keys.contains(&principal.key)
                            && principals.get(&principal.key) != Some(principal)
                        {
                            end.cancel();
                        }
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the keys of live connections cannot be checked");
                }
            }
        }
    }
}

/// A request that waits for an event, until dropped.
pub(crate) struct Waiting {
    passed: broadcast::Receiver<Arc<[RecordedEvent]>>,
    seat: Seat,
}

impl Waiting {
    /// Waits for an event that may match a lookup; `false` if the key is revoked or the process
    /// stops.
    pub(crate) async fn for_one(&mut self, lookup: &Lookup) -> bool {
        loop {
            let passed = tokio::select! {
                () = self.seat.end.cancelled() => return false,
                passed = self.passed.recv() => passed,
            };
            match passed {
                Ok(events) if events.iter().any(|event| lookup.may_find(event)) => return true,
                Ok(_) => {}
                // Skipped events are in the log.
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

/// Whether the company may see an event, as in [`Lookup::disclosed`].
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
        Problem::unavailable("the log is unavailable")
    } else {
        Problem::internal(error)
    }
}
