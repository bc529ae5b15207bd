//! Models of a log and of the processes that read it.

use std::sync::{Arc, Mutex, MutexGuard};

use event_log::{Position, RecordedEvent};
use kontor_tests::simulation::World;
use tokio::sync::watch;
use uuid::Uuid;

use crate::database::Log;

/// An event that this build cannot read is of this type; its stream is set aside.
pub(super) const POISON: &str = "thing.poisoned";
/// Another one; without it the read model would show others wrongly, so it stops.
pub(super) const FATAL: &str = "thing.fatal";
/// The kind of aggregates that the read model reads, and one that it does not.
pub(super) const THING: &str = "thing";
pub(super) const OTHER: &str = "other";
/// The number of streams.
const STREAMS: u128 = 20;

/// The log. Cheap to clone.
#[derive(Clone)]
pub(super) struct History {
    pub(super) world: World,
    events: Arc<Mutex<Vec<Arc<RecordedEvent>>>>,
    readers: Arc<Mutex<Vec<Listener>>>,
}

/// A process that reads it: whether it writes too, and where it hears of events. Those that do not write hear of
/// them a little later.
type Listener = (bool, watch::Sender<Position>);

impl History {
    pub(super) fn new(world: World) -> Self {
        Self { world, events: Arc::default(), readers: Arc::default() }
    }

    pub(super) fn events(&self) -> MutexGuard<'_, Vec<Arc<RecordedEvent>>> {
        self.events.lock().unwrap()
    }

    pub(super) fn head(&self) -> Position {
        Position(self.events().len() as u64)
    }

    /// The first event of a type.
    pub(super) fn first(&self, event_type: &str) -> Option<Position> {
        let events = self.events();
        events.iter().find(|event| event.event_type == event_type).map(|event| event.position)
    }

    /// Appends an event, of a kind of aggregate that the read model reads or not.
    pub(super) fn append(&self, stream_type: &str, event_type: &str) {
        let position = Position(self.head().0 + 1);
        let id = Uuid::from_u128(self.world.random());
        let stream_id = Uuid::from_u128(self.world.random() % STREAMS);
        self.events().push(Arc::new(RecordedEvent {
            position,
            event_id: id,
            stream_type: stream_type.to_owned(),
            stream_id,
            version: 1,
            event_type: event_type.to_owned(),
            schema_version: 1,
            company_id: None,
            actor: "simulation".to_owned(),
            command_id: id,
            correlation_id: id,
            causation_id: None,
            recorded_at: jiff::Timestamp::UNIX_EPOCH,
            payload: "{}".to_owned(),
        }));
        for (writes, reader) in &*self.readers.lock().unwrap() {
            if *writes {
                reader.send_replace(position);
                continue;
            }
            let (history, reader) = (self.clone(), reader.clone());
            tokio::spawn(async move {
                history.world.pass(100).await;
                reader.send_replace(history.head());
            });
        }
    }

    /// The log as a process reads it that may or may not write too, and so know of events at once.
    pub(super) fn reader(&self) -> Reader {
        let (reader, reached) = watch::channel(self.head());
        self.readers.lock().unwrap().push((self.world.bool(0.5), reader));
        Reader { history: self.clone(), reached }
    }
}

/// The log as one process reads it.
pub(super) struct Reader {
    history: History,
    reached: watch::Receiver<Position>,
}

impl Log for Reader {
    fn reached(&self) -> watch::Receiver<Position> {
        self.reached.clone()
    }

    /// Small pages, so that a run has many of them; with the events of other types or without.
    async fn follow(
        &self,
        types: &[&str],
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, event_log::Error> {
        let world = &self.history.world;
        world.pass(4).await;
        if world.strikes(0.03) {
            return Err(event_log::Error::Unavailable);
        }
        let most = (1 + world.index(6)).min(limit);
        let after = usize::try_from(after.0).unwrap();
        let mut page: Vec<_> =
            self.history.events().iter().skip(after).take(most).cloned().collect();
        if world.bool(0.5) {
            let last = page.last().map(|event| event.position);
            page.retain(|event| {
                types.contains(&event.stream_type.as_str()) || Some(event.position) == last
            });
        }
        Ok(page)
    }
}
