//! Applies events to a read model within a transaction, without what it has set aside.

use std::borrow::Borrow;

use event_log::{Position, RecordedEvent};
use service_kit::health::explained;

use crate::{
    Projection,
    aside::{MOST, SetAside},
    database::{Transaction, changes_of},
    runner::ProjectionError,
};

/// The checkpoint of a read model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// The last applied position.
    pub(crate) position: Position,
    /// The build that made its rows, as [`Projection::bytes_of_build`] names it.
    pub(crate) build: Vec<u8>,
    /// What is set aside, in the order of positions.
    pub(crate) set_aside: Vec<SetAside>,
}

impl Checkpoint {
    /// Whether these are rows of this build, which alone may change them.
    pub(crate) fn is_of(&self, projection: Projection) -> bool {
        self.build == projection.bytes_of_build()
    }

    fn leaves_out(&self, projection: Projection, event: &RecordedEvent) -> bool {
        !self.set_aside.is_empty()
            && (projection.aside)(event)
                .is_some_and(|key| self.set_aside.iter().any(|aside| aside.key == key))
    }

    fn concerns(&self, projection: Projection, event: &RecordedEvent) -> bool {
        is_read_by(projection, event) && !self.leaves_out(projection, event)
    }
}

/// Whether an event is of a kind of aggregate that a read model reads.
pub(crate) fn is_read_by(projection: Projection, event: &RecordedEvent) -> bool {
    projection.reads.contains(&event.stream_type.as_str())
}

/// Whether an event changes nothing in a read model. An event that cannot be applied may change
/// something.
pub(crate) fn changes_nothing(projection: Projection, event: &RecordedEvent) -> bool {
    !is_read_by(projection, event)
        || changes_of(projection, event).is_ok_and(|changes| changes.is_empty())
}

/// How many bytes of payload are applied at once, unless one event has more. What an event changes is
/// worked out within the transaction, which PostgreSQL ends when it says nothing for five seconds.
const BYTES: usize = 1 << 19;

/// The first of some events, as many as are applied at once to a read model.
pub(crate) fn page<E: Borrow<RecordedEvent>>(projection: Projection, mut events: Vec<E>) -> Vec<E> {
    let mut bytes = 0;
    let too_many = events.iter().map(Borrow::borrow).position(|event| {
        if !is_read_by(projection, event) {
            return false;
        }
        let before = bytes;
        bytes += event.payload.len();
        before > 0 && bytes > BYTES
    });
    events.truncate(too_many.unwrap_or(events.len()));
    events
}

/// How events are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// All or none: an error fails the transaction.
    Together,
    /// One by one, each with a savepoint; what cannot be applied is set aside.
    Singly,
}

/// Applies events that follow on the checkpoint, and moves it. Returns the error of the event that it
/// must stop before, if there is one; what comes before that stays to be committed.
pub(crate) async fn apply<T: Transaction, E: Borrow<RecordedEvent> + Sync>(
    transaction: &mut T,
    projection: Projection,
    checkpoint: &mut Checkpoint,
    events: &[E],
    way: Way,
) -> Result<Option<ProjectionError>, ProjectionError> {
    match way {
        Way::Together => {
            together(transaction, projection, checkpoint, events).await?;
            Ok(None)
        }
        Way::Singly => singly(transaction, projection, checkpoint, events).await,
    }
}

async fn together<T: Transaction, E: Borrow<RecordedEvent> + Sync>(
    transaction: &mut T,
    projection: Projection,
    checkpoint: &mut Checkpoint,
    events: &[E],
) -> Result<(), ProjectionError> {
    let Some(last) = events.last().map(|event| event.borrow().position) else { return Ok(()) };
    let concerning: Vec<&RecordedEvent> = events
        .iter()
        .map(Borrow::borrow)
        .filter(|event| checkpoint.concerns(projection, event))
        .collect();
    let changed = transaction.apply(projection, &concerning).await?;
    transaction.checkpoint(projection, last, changed).await?;
    checkpoint.position = last;
    Ok(())
}

async fn singly<T: Transaction, E: Borrow<RecordedEvent> + Sync>(
    transaction: &mut T,
    projection: Projection,
    checkpoint: &mut Checkpoint,
    events: &[E],
) -> Result<Option<ProjectionError>, ProjectionError> {
    let mut stopped = None;
    let mut changed = None;
    let before = checkpoint.position;
    for event in events.iter().map(Borrow::borrow) {
        if checkpoint.concerns(projection, event) {
            transaction.savepoint().await?;
            match transaction.apply(projection, &[event]).await {
                Ok(by) => {
                    transaction.release().await?;
                    changed = changed.max(by);
                }
                Err(error) if error.is_of_an_event() => {
                    transaction.roll_back().await?;
                    let key = (projection.aside)(event);
                    let Some(key) = key.filter(|_| checkpoint.set_aside.len() < MOST) else {
                        // What is between the events of the page was not read: it does not concern
                        // the read model.
                        checkpoint.position = Position(event.position.0 - 1);
                        stopped = Some(error);
                        break;
                    };
                    let aside = SetAside::of(event, key, explained(&error));
                    tracing::error!(
                        projection = projection.name,
                        position = aside.position.0,
                        stream = %aside.stream_id,
                        reason = aside.reason,
                        "set aside"
                    );
                    transaction.set_aside(projection, &aside).await?;
                    checkpoint.set_aside.push(aside);
                }
                Err(error) => return Err(error),
            }
        }
        checkpoint.position = event.position;
    }
    if checkpoint.position != before {
        transaction.checkpoint(projection, checkpoint.position, changed).await?;
    }
    Ok(stopped)
}
