//! How far a read model is, as this process knows it: shared by its follower, by the task that looks after
//! all checkpoints, and by those who wait.

use std::sync::{Mutex, MutexGuard, PoisonError};

use event_log::{Position, RecordedEvent};
use metrics::{Gauge, gauge};
use tokio::sync::watch;
use uuid::Uuid;

use crate::{Projection, State, Status, applying::Checkpoint};

/// How far a read model is.
pub(crate) struct Progress {
    projection: Projection,
    status: watch::Sender<Status>,
    place: Mutex<Place>,
    seen: watch::Sender<Option<Seen>>,
    gauges: Gauges,
}

/// Between what and what its checkpoint may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where the checkpoint is stored, as far as this process knows.
    pub(crate) stored: Position,
    /// No event after the stored position and up to this one concerns the read model, so it shows this
    /// position too.
    pub(crate) reached: Position,
    /// The event at the reached position, when that is not the stored one: a log that has lost its end has
    /// another one there.
    pub(crate) last: Option<Uuid>,
}

impl Place {
    fn at(position: Position) -> Self {
        Self { stored: position, reached: position, last: None }
    }

    /// Whether events after `reached` may be applied where the checkpoint is here.
    pub(crate) fn includes(self, stored: Position) -> bool {
        (self.stored..=self.reached).contains(&stored)
    }
}

/// A checkpoint as it was seen when all were looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) position: Position,
    pub(crate) build: Vec<u8>,
    /// How much is set aside, and the sum of its positions: another set has another sum.
    pub(crate) set_aside: (usize, u64),
    /// Why some process has stopped before the next event.
    pub(crate) failure: Option<String>,
}

/// What it tells.
struct Gauges {
    position: Gauge,
    lag: Gauge,
    stopped: Gauge,
    set_aside: Gauge,
}

impl Progress {
    /// Somewhere, until a checkpoint is adopted.
    pub(crate) fn new(of: Projection, position: Position) -> Self {
        let projection = of.name;
        Self {
            projection: of,
            status: watch::Sender::new(Status::following(position)),
            place: Mutex::new(Place::at(position)),
            seen: watch::Sender::new(None),
            gauges: Gauges {
                position: gauge!("kontor_projection_position", "projection" => projection),
                lag: gauge!("kontor_projection_lag_events", "projection" => projection),
                stopped: gauge!("kontor_projection_stopped", "projection" => projection),
                set_aside: gauge!("kontor_projection_set_aside", "projection" => projection),
            },
        }
    }

    pub(crate) fn projection(&self) -> Projection {
        self.projection
    }

    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    pub(crate) fn present(&self) -> Status {
        self.status.borrow().clone()
    }

    pub(crate) fn seen(&self) -> watch::Receiver<Option<Seen>> {
        self.seen.subscribe()
    }

    pub(crate) fn place(&self) -> Place {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A checkpoint that was read, or has just been written.
    pub(crate) fn set(&self, checkpoint: &Checkpoint) {
        *self.lock() = Place::at(checkpoint.position);
        let set_aside = checkpoint.set_aside.as_slice().into();
        let following = Status { set_aside, ..Status::following(checkpoint.position) };
        self.announce(if checkpoint.is_of(self.projection) {
            following
        } else {
            Status { state: State::OtherBuild, ..following }
        });
    }

    /// No event up to this one concerns it.
    pub(crate) fn skip(&self, to: &RecordedEvent) {
        {
            let mut place = self.lock();
            place.reached = to.position;
            place.last = Some(to.event_id);
        }
        let Status { position, set_aside, .. } = self.present();
        // Whoever has waited may have seen more of another process.
        let position = position.max(to.position);
        self.announce(Status { set_aside, ..Status::following(position) });
    }

    /// What was passed over was stored, unless something else has happened meanwhile.
    pub(crate) fn stored(&self, was: Place) {
        let mut place = self.lock();
        if place.stored == was.stored {
            place.stored = was.reached;
        }
    }

    /// What was passed over could not be stored: the checkpoint is somewhere else, or the log has lost its
    /// end. The follower looks at it again.
    pub(crate) fn forget(&self, was: Place) {
        {
            let mut place = self.lock();
            if place.stored != was.stored {
                return;
            }
            *place = Place::at(was.stored);
        }
        self.seen.send_modify(|_| {});
    }

    /// Whether a checkpoint is as this process believes it to be.
    pub(crate) fn agrees(&self, seen: &Seen) -> bool {
        let is_foreign = self.status.borrow().state == State::OtherBuild;
        is_foreign != self.is_own(seen)
            && self.place().includes(seen.position)
            && self.leaves_out_as(seen)
    }

    /// Whether as much is set aside as this process believes.
    pub(crate) fn leaves_out_as(&self, seen: &Seen) -> bool {
        let status = self.status.borrow();
        let sum = status.set_aside.iter().map(|aside| aside.position.0).sum();
        (status.set_aside.len(), sum) == seen.set_aside
    }

    /// Whether the rows are of this build.
    pub(crate) fn is_own(&self, seen: &Seen) -> bool {
        seen.build == self.projection.bytes_of_build()
    }

    /// Another process keeps it up and has got there.
    pub(crate) fn observe(&self, seen: &Seen) {
        *self.lock() = Place::at(seen.position);
        let state = match &seen.failure {
            _ if !self.is_own(seen) => State::OtherBuild,
            Some(reason) => State::Stopped { reason: reason.clone() },
            None => State::Following,
        };
        self.announce(Status { position: seen.position, state, ..self.present() });
    }

    /// Says that it has stopped where it is.
    pub(crate) fn stop_for(&self, reason: String) {
        self.announce(Status { state: State::Stopped { reason }, ..self.present() });
    }

    /// What its checkpoint was found to be. What is the same as before may still be another than the follower
    /// has made of it since, when a crash took that back.
    pub(crate) fn observe_checkpoint(&self, seen: Seen) {
        let agrees = self.agrees(&seen);
        self.seen.send_if_modified(|present| {
            let changed = !agrees || present.as_ref() != Some(&seen);
            *present = Some(seen);
            changed
        });
    }

    /// The database shows a position, which may be of another process.
    pub(crate) fn shown(&self, position: Position) {
        self.status.send_if_modified(|present| {
            let moved = present.position < position;
            present.position = present.position.max(position);
            moved
        });
    }

    fn announce(&self, status: Status) {
        self.gauges.tell(&status);
        self.status.send_if_modified(|present| {
            let changed = *present != status;
            *present = status;
            changed
        });
    }

    /// Tells how far it is behind a log that ends there.
    pub(crate) fn measure(&self, head: Position) {
        let lag = head.0.saturating_sub(self.status.borrow().position.0);
        #[allow(clippy::cast_precision_loss, reason = "a metric is a float")]
        self.gauges.lag.set(lag as f64);
    }
}

impl Gauges {
    fn tell(&self, status: &Status) {
        #[allow(clippy::cast_precision_loss, reason = "a metric is a float")]
        let [position, aside] =
            [status.position.0, status.set_aside.len() as u64].map(|figure| figure as f64);
        self.position.set(position);
        self.set_aside.set(aside);
        self.stopped.set(if status.state == State::Following { 0.0 } else { 1.0 });
    }
}
