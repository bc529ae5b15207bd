//! A model of `JetStream`: batches that are stored whole or not at all if they follow what they
//! expect, answers that get lost, and a server that crashes, is restored from an older copy, or
//! met by an administrator.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use kontor_tests::{note, simulation::World};
use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};

use super::postgres::Postgres;
use crate::{
    Position, RecordedEvent,
    cloud_event::CloudEvent,
    relay::{
        publisher::Stop,
        stream::{Extent, Stream},
    },
};

/// What every subject begins with.
pub(super) const PREFIX: &str = "kontor";

/// The server. Cheap to clone.
#[derive(Clone)]
pub(super) struct JetStream {
    world: World,
    /// Whose history a message must be.
    postgres: Postgres,
    stored: Arc<Mutex<Stored>>,
}

struct Stored {
    /// The messages by sequence, less one; `None` when there is no stream.
    stream: Option<Vec<Message>>,
    /// How many messages a crash leaves.
    synced: usize,
    /// `sync_interval: always`
    syncs_always: bool,
    down: bool,
}

/// A message of the stream.
#[derive(PartialEq, Eq)]
enum Message {
    Event(Box<RecordedEvent>),
    /// Somebody else's.
    Foreign,
    /// Lost, so that there is a hole.
    Lost,
}

impl JetStream {
    /// How long an answer is waited for.
    const PATIENCE: Duration = Duration::from_secs(10);

    pub(super) fn new(world: World, postgres: Postgres) -> Self {
        let syncs_always = world.bool(0.5);
        let stored = Stored { stream: None, synced: 0, syncs_always, down: false };
        Self { world, postgres, stored: Arc::new(Mutex::new(stored)) }
    }

    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().unwrap()
    }

    /// Loses what was not on disk, and stays away until it is started.
    pub(super) fn crash(&self) {
        let stored = &mut *self.stored();
        stored.down = true;
        if let Some(stream) = &mut stored.stream {
            stream.truncate(stored.synced);
            note!(self.world, "JetStream keeps {} messages", stream.len());
        }
    }

    pub(super) fn start(&self) {
        self.stored().down = false;
    }

    pub(super) fn delete(&self) {
        let mut stored = self.stored();
        stored.stream = None;
        stored.synced = 0;
    }

    /// Restores an older copy.
    pub(super) fn truncate(&self) {
        let stored = &mut *self.stored();
        if let Some(stream) = &mut stored.stream {
            let left = self.world.number(0..=stream.len() as u64);
            note!(self.world, "a copy of {left} messages is restored");
            stream.truncate(usize::try_from(left).unwrap());
            stored.synced = stored.synced.min(stream.len());
        }
    }

    /// Loses a message in the middle.
    pub(super) fn damage(&self) {
        let stored = &mut *self.stored();
        if let Some(most) = stored.stream.as_ref().and_then(|stream| stream.len().checked_sub(2)) {
            let lost = usize::try_from(self.world.number(0..=most as u64)).unwrap();
            note!(self.world, "message {} is lost", lost + 1);
            stored.stream.as_mut().unwrap()[lost] = Message::Lost;
        }
    }

    /// An administrator publishes to the stream. Not where an event was and is lost: a foreign
    /// message in its place would be found by `verify_stream` alone.
    pub(super) fn intrude(&self) {
        let head = self.postgres.tables().events.len();
        let stored = &mut *self.stored();
        if let Some(stream) = &mut stored.stream
            && stream.len() == head
        {
            note!(self.world, "a foreign message is published");
            stream.push(Message::Foreign);
        }
    }

    /// How many messages are the log's events, in order; says whether all are.
    pub(super) fn agrees(&self) -> (usize, bool) {
        let stored = self.stored();
        let messages = stored.stream.as_deref().unwrap_or_default();
        let tables = self.postgres.tables();
        let is = |(message, event): &(&Message, &RecordedEvent)| match message {
            Message::Event(message) => **message == **event,
            Message::Foreign | Message::Lost => false,
        };
        let agreeing = messages.iter().zip(&tables.events).take_while(is).count();
        (agreeing, agreeing == messages.len())
    }

    /// Whether the messages are these events.
    pub(super) fn holds(&self, events: &[RecordedEvent]) -> bool {
        let stored = self.stored();
        let messages = stored.stream.as_deref().unwrap_or_default();
        let is = |(message, event): (&Message, &RecordedEvent)| match message {
            Message::Event(message) => **message == *event,
            Message::Foreign | Message::Lost => false,
        };
        messages.len() == events.len() && messages.iter().zip(events).all(is)
    }

    /// The way there and back, or none.
    async fn travel(&self) -> Result<(), Stop> {
        self.world.pass(5).await;
        if self.stored().down || self.world.strikes(0.03) {
            sleep(Self::PATIENCE).await;
            return Err(Stop::Again("no answer".to_owned()));
        }
        Ok(())
    }

    /// Stores a batch, whole or not at all.
    fn store(&self, messages: Vec<CloudEvent>, last: Position) -> Result<u64, Stop> {
        let tables = self.postgres.tables();
        let Stored { stream, synced, syncs_always, down } = &mut *self.stored();
        let again = |why: &str| Err(Stop::Again(why.to_owned()));
        let Some(stream) = stream.as_mut().filter(|_| !*down) else {
            return again("no stream");
        };
        if stream.len() as u64 != last.0 {
            return Err(Stop::Overtaken);
        }
        for message in messages {
            let CloudEvent { subject, headers, data } = message;
            let event = CloudEvent::recorded(&subject, &headers, &data, PREFIX);
            let place = stream.len();
            assert_eq!(event.as_ref(), tables.events.get(place), "message {} is wrong", place + 1);
            stream.extend(event.map(Box::new).map(Message::Event));
        }
        if *syncs_always || self.world.bool(0.3) {
            *synced = stream.len();
        }
        note!(self.world, "stream up to {}", stream.len());
        Ok(stream.len() as u64)
    }
}

impl Stream for JetStream {
    type Server = Self;

    async fn open(server: &Self) -> Result<Self, Stop> {
        server.travel().await?;
        server.stored().stream.get_or_insert_default();
        server.world.pass(5).await;
        Ok(server.clone())
    }

    /// Now and then as a leader of the past sees it.
    async fn extent(&self) -> Result<Extent, Stop> {
        self.travel().await?;
        let behind = if self.world.strikes(0.1) { self.world.number(1..=5) } else { 0 };
        let stored = self.stored();
        let Some(stream) = &stored.stream else { return Err(Stop::Again("no stream".to_owned())) };
        let seen = &stream[..stream.len().saturating_sub(usize::try_from(behind).unwrap())];
        let messages = seen.iter().filter(|message| **message != Message::Lost).count() as u64;
        let first = seen.iter().position(|message| *message != Message::Lost);
        let first = first.map_or(0, |place| place as u64 + 1);
        Ok(Extent { first, last: seen.len() as u64, messages })
    }

    async fn event_at(&self, sequence: u64) -> Result<Option<RecordedEvent>, Stop> {
        self.travel().await?;
        let place = usize::try_from(sequence - 1).unwrap();
        let stored = self.stored();
        Ok(match stored.stream.iter().flatten().nth(place) {
            Some(Message::Event(event)) if event.position.0 == sequence => {
                Some(RecordedEvent::clone(event))
            }
            _ => None,
        })
    }

    /// Whether the relay still waits or not, what it has sent arrives, if it does.
    async fn publish(&self, messages: Vec<CloudEvent>, last: Position) -> Result<u64, Stop> {
        let (answer, answered) = oneshot::channel();
        let lost = self.world.strikes(0.04);
        let unheard = self.world.strikes(0.04);
        let travels = self.world.moment(if self.world.strikes(0.05) { 20_000 } else { 4 });
        let server = self.clone();
        tokio::spawn(async move {
            sleep(travels).await;
            if lost {
                return;
            }
            let stored = server.store(messages, last);
            server.world.pass(4).await;
            if !unheard {
                let _ = answer.send(stored);
            }
        });
        match timeout(Self::PATIENCE, answered).await {
            Ok(Ok(stored)) => stored,
            Ok(Err(_)) | Err(_) => Err(Stop::Again("no answer".to_owned())),
        }
    }
}
