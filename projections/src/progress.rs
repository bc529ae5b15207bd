//! The progress of a read model, as this process knows it: shared by its follower, by the task that
//! stores checkpoints, and by waiting queries.

use std::sync::{Mutex, MutexGuard, PoisonError};

use event_log::{Position, RecordedEvent};
use metrics::{Gauge, gauge};
use tokio::sync::watch;
use uuid::Uuid;

use crate::{Projection, State, Status, applying::Checkpoint};

/// The progress of a read model.
pub(crate) struct Progress {
    projection: Projection,
    status: watch::Sender<Status>,
    place: Mutex<Place>,
    seen: watch::Sender<Option<Seen>>,
    gauges: Gauges,
}

/// The range in which its checkpoint may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where the checkpoint is stored, as far as this process knows.
    pub(crate) stored: Position,
    /// No event after the stored position and up to this one changes the read model, so it is
    /// current up to this one.
    pub(crate) reached: Position,
    /// The id of the event at the reached position, if that is not the stored one: a log that was
    /// restored to an earlier state has another event there.
    pub(crate) last: Option<Uuid>,
}

impl Place {
    fn at(position: Position) -> Self {
        Self { stored: position, reached: position, last: None }
    }

    /// Whether events after `reached` may be applied if the checkpoint is at this position.
    pub(crate) fn includes(self, stored: Position) -> bool {
        (self.stored..=self.reached).contains(&stored)
    }
}

/// A checkpoint as it was last read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) position: Position,
    pub(crate) build: Vec<u8>,
    /// The number of streams that are set aside, and the sum of their positions, which identifies
    /// the set.
    pub(crate) set_aside: (usize, u64),
    /// Why a process stopped before the next event.
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
    /// Unknown, until a checkpoint is adopted.
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

    /// Sets a checkpoint that was read or written.
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

    /// Skips events up to this one, which change nothing in it.
    pub(crate) fn skip(&self, to: &RecordedEvent) {
        {
            let mut place = self.lock();
            place.reached = to.position;
            place.last = Some(to.event_id);
        }
        let Status { position, set_aside, .. } = self.present();
        // A waiting query may have seen a later position of another process.
        let position = position.max(to.position);
        self.announce(Status { set_aside, ..Status::following(position) });
    }

    /// The checkpoint after skipped events was stored; ignored if the place has changed meanwhile.
    pub(crate) fn stored(&self, was: Place) {
        let mut place = self.lock();
        if place.stored == was.stored {
            place.stored = was.reached;
        }
    }

    /// The checkpoint after skipped events was not stored, because it has moved or the log was
    /// restored. The follower reads it again.
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

    /// Whether a checkpoint is what this process expects.
    pub(crate) fn agrees(&self, seen: &Seen) -> bool {
        let is_foreign = self.status.borrow().state == State::OtherBuild;
        is_foreign != self.is_own(seen)
            && self.place().includes(seen.position)
            && self.leaves_out_as(seen)
    }

    /// Whether the set of streams that are set aside is what this process expects.
    pub(crate) fn leaves_out_as(&self, seen: &Seen) -> bool {
        let status = self.status.borrow();
        let sum = status.set_aside.iter().map(|aside| aside.position.0).sum();
        (status.set_aside.len(), sum) == seen.set_aside
    }

    /// Whether the rows are of this build.
    pub(crate) fn is_own(&self, seen: &Seen) -> bool {
        seen.build == self.projection.bytes_of_build()
    }

    /// Another process has updated it up to this position.
    pub(crate) fn observe(&self, seen: &Seen) {
        *self.lock() = Place::at(seen.position);
        let state = match &seen.failure {
            _ if !self.is_own(seen) => State::OtherBuild,
            Some(reason) => State::Stopped { reason: reason.clone() },
            None => State::Following,
        };
        self.announce(Status { position: seen.position, state, ..self.present() });
    }

    /// Announces that it has stopped.
    pub(crate) fn stop_for(&self, reason: String) {
        self.announce(Status { state: State::Stopped { reason }, ..self.present() });
    }

    /// Records a checkpoint that was read. One equal to the last may still differ from what the
    /// follower has written since, if a crash undid that.
    pub(crate) fn observe_checkpoint(&self, seen: Seen) {
        let agrees = self.agrees(&seen);
        self.seen.send_if_modified(|present| {
            let changed = !agrees || present.as_ref() != Some(&seen);
            *present = Some(seen);
            changed
        });
    }

    /// The database has this position, perhaps written by another process.
    pub(crate) fn shown(&self, position: Position) {
        self.status.send_if_modified(|present| {
            let moved = present.position < position;
            present.position = present.position.max(position);
            moved
        });
    }

    fn announce(&self, status: Status) {
        self.gauges.report(&status);
        self.status.send_if_modified(|present| {
            let changed = *present != status;
            *present = status;
            changed
        });
    }

    /// Reports how far it is behind the head of the log.
    pub(crate) fn measure(&self, head: Position) {
        let lag = head.0.saturating_sub(self.status.borrow().position.0);
        #[allow(clippy::cast_precision_loss, reason = "a metric is a float")]
        self.gauges.lag.set(lag as f64);
    }
}

impl Gauges {
    fn report(&self, status: &Status) {
        #[allow(clippy::cast_precision_loss, reason = "a metric is a float")]
        let [position, aside] =
            [status.position.0, status.set_aside.len() as u64].map(|figure| figure as f64);
        self.position.set(position);
        self.set_aside.set(aside);
        self.stopped.set(if status.state == State::Following { 0.0 } else { 1.0 });
    }
}
