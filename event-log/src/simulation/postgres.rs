//! A model of PostgreSQL as the log uses it: a head row with a lock, rows that are unique,
//! transactions that are all or nothing, and connections that end.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use jiff::Timestamp;
use kontor_tests::{
    note,
    simulation::{Gate, World},
};
use tokio::{
    sync::OwnedMutexGuard,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::client::decided;
use crate::{
    Append, Error, Outcome, Position, RecordedEvent,
    writer::session::{Failure, Head},
};

/// The server. Cheap to clone.
#[derive(Clone)]
pub(super) struct Postgres {
    pub(super) world: World,
    tables: Arc<Mutex<Tables>>,
    /// The lock of the head row.
    head: Arc<tokio::sync::Mutex<()>>,
    /// Closed while the server is stopped.
    gate: Gate,
}

/// What is committed, and who is connected.
#[derive(Default)]
pub(super) struct Tables {
    epoch: i64,
    pub(super) events: Vec<RecordedEvent>,
    versions: BTreeMap<Uuid, u64>,
    /// Which attempt wrote the last event of a stream.
    lasts: BTreeMap<Uuid, u64>,
    pub(super) commands: BTreeMap<Uuid, ([u8; 32], Outcome)>,
    pub(super) backends: BTreeMap<u64, Backend>,
    connections: u64,
    pub(super) down: bool,
}

/// What the server knows of a connection.
#[derive(Default, Clone)]
pub(super) struct Backend {
    pub(super) end: CancellationToken,
    /// When its transaction began, if it is in one.
    pub(super) began: Option<Instant>,
    /// Whether it waits for its client.
    pub(super) reads: bool,
}

/// What a transaction writes.
pub(super) struct Rows {
    /// The position before the first of its events.
    pub(super) after: Position,
    pub(super) recorded_at: Timestamp,
    pub(super) appends: Vec<(Append, Outcome, Vec<Uuid>)>,
}

/// What the model says when it fails.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("{0}")]
pub(super) struct ModelError(pub(super) &'static str);

impl From<ModelError> for Error {
    fn from(_: ModelError) -> Self {
        Self::Unavailable
    }
}

/// How the model refuses.
pub(super) type Refusal = Failure<ModelError>;

impl Postgres {
    /// How long one waits for the head row (`lock_timeout`).
    const LOCK_TIMEOUT: Duration = Duration::from_secs(3);
    /// For how long a transaction may be silent before another may end it.
    const SILENT: Duration = Duration::from_secs(2);

    pub(super) fn new(world: World) -> Self {
        Self { world, tables: Arc::default(), head: Arc::default(), gate: Gate::default() }
    }

    pub(super) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap()
    }

    pub(super) fn current_head(&self) -> Head {
        let tables = self.tables();
        let recorded_at =
            tables.events.last().map_or(Timestamp::UNIX_EPOCH, |event| event.recorded_at);
        Head { position: tables.head(), epoch: tables.epoch, recorded_at }
    }

    /// Stops every process of the server, as SIGSTOP does, or lets them go on.
    pub(super) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Ends every transaction and connection, and takes no new ones until it is started. What was
    /// committed stays.
    pub(super) fn crash(&self) {
        let mut tables = self.tables();
        tables.down = true;
        for backend in std::mem::take(&mut tables.backends).into_values() {
            backend.end.cancel();
        }
    }

    pub(super) fn start(&self) {
        self.tables().down = false;
    }

    /// A standby takes over that does not have the last commits.
    pub(super) fn fail_over(&self) {
        self.crash();
        let tables = &mut *self.tables();
        let left = self.world.index(tables.events.len());
        note!(self.world, "a standby takes over at {left}");
        tables.events.truncate(left);
        tables.commands.retain(|_, (_, outcome)| outcome.position.0 <= left as u64);
        let versions = tables.events.iter().map(|event| (event.stream_id, event.version));
        tables.versions = versions.collect();
        let lasts = tables.events.iter().map(|event| (event.stream_id, decided(&event.payload).0));
        tables.lasts = lasts.collect();
        tables.down = false;
    }

    /// Terminates the connection of some writer, as an administrator may.
    pub(super) fn terminate_one(&self) {
        let backends: Vec<Backend> = self.tables().backends.values().cloned().collect();
        if let Some(most) = backends.len().checked_sub(1) {
            let unlucky = self.world.number(0..=most as u64);
            backends[usize::try_from(unlucky).unwrap()].end.cancel();
        }
    }

    /// Takes a connection on; `None` while the server is down.
    pub(super) fn admit(&self) -> Option<(u64, CancellationToken)> {
        let tables = &mut *self.tables();
        if tables.down {
            return None;
        }
        tables.connections += 1;
        let backend = Backend::default();
        let end = backend.end.clone();
        tables.backends.insert(tables.connections, backend);
        Some((tables.connections, end))
    }

    /// Takes the lock of the head row, as `UPDATE` or `FOR UPDATE` do.
    pub(super) async fn take_head(&self) -> Result<OwnedMutexGuard<()>, Refusal> {
        let taken = timeout(Self::LOCK_TIMEOUT, self.head.clone().lock_owned()).await;
        taken.map_err(|_| Failure::Blocked)
    }

    /// `UPDATE log.head SET epoch = epoch + 1`, under its lock.
    pub(super) fn raise_epoch(&self) {
        self.tables().epoch += 1;
    }

    /// `log.advance`, under the lock of the head row.
    pub(super) fn check(&self, expected: Head, beliefs: &[(Uuid, u64)]) -> Result<(), Refusal> {
        let tables = self.tables();
        if expected.position != tables.head() || expected.epoch != tables.epoch {
            return Err(Failure::Overtaken);
        }
        if beliefs.iter().any(|(stream, version)| tables.version(*stream) != *version) {
            return Err(Failure::Doubtful);
        }
        Ok(())
    }

    /// `COMMIT`, under the lock of the head row: all rows are in the tables, or none.
    pub(super) fn commit(&self, rows: &Rows) -> Result<(), Refusal> {
        let tables = &mut *self.tables();
        tables.insert(rows)?;
        note!(self.world, "commit of {} up to {}", rows.appends.len(), tables.head());
        Ok(())
    }

    /// Ends the transactions of writers that have not been heard of for a while.
    pub(super) fn evict(&self) {
        for (id, backend) in &self.tables().backends {
            if backend.reads && backend.began.is_some_and(|at| at.elapsed() > Self::SILENT) {
                note!(self.world, "backend {id} is evicted");
                backend.end.cancel();
            }
        }
    }

    pub(super) fn remembered(&self, ids: &[Uuid]) -> HashMap<Uuid, ([u8; 32], Outcome)> {
        let tables = self.tables();
        ids.iter().filter_map(|id| Some((*id, *tables.commands.get(id)?))).collect()
    }

    pub(super) fn versions(&self, streams: &[Uuid]) -> HashMap<Uuid, u64> {
        let tables = self.tables();
        streams.iter().filter_map(|id| Some((*id, *tables.versions.get(id)?))).collect()
    }
}

impl Tables {
    pub(super) fn head(&self) -> Position {
        Position(self.events.len() as u64)
    }

    pub(super) fn version(&self, stream: Uuid) -> u64 {
        self.versions.get(&stream).copied().unwrap_or(0)
    }

    /// Which attempt wrote the last event of a stream; 0 when there is none.
    pub(super) fn last(&self, stream: Uuid) -> u64 {
        self.lasts.get(&stream).copied().unwrap_or(0)
    }

    /// What constraints refuse is refused. What none of them would find fails the life: a gap, a
    /// wrong answer, and a decision on what was no longer so.
    fn insert(&mut self, rows: &Rows) -> Result<(), Refusal> {
        let (mut versions, mut lasts) = (self.versions.clone(), self.lasts.clone());
        let mut events: Vec<RecordedEvent> = Vec::new();
        let head = self.head();
        if rows.after < head && rows.appends.iter().any(|(append, ..)| !append.is_empty()) {
            return Err(Failure::Mistaken(ModelError("a position is there already")));
        }
        assert!(rows.after <= head, "a gap: {} follows {head}", rows.after);
        let newest = self.events.last().map(|event| event.recorded_at);
        assert!(newest.is_none_or(|newest| newest <= rows.recorded_at), "time goes back");
        for (append, outcome, ids) in &rows.appends {
            let envelope = &append.envelope;
            if envelope.remember.is_some() && self.commands.contains_key(&envelope.command_id) {
                return Err(Failure::Mistaken(ModelError("a command id is there already")));
            }
            let present = |versions: &BTreeMap<Uuid, u64>, stream| versions.get(stream).copied();
            let first = append.writes.iter().flat_map(|write| &write.events).next();
            let sights = first.map(|event| decided(&event.payload).2).unwrap_or_default();
            // Versions alone do not tell: another process may have written as many events.
            let is_as_seen = |lasts: &BTreeMap<Uuid, u64>, stream: Uuid| {
                let last = lasts.get(&stream).copied().unwrap_or(0);
                let mut sights = sights.iter().filter(|(id, ..)| *id == stream);
                assert!(sights.all(|(.., seen)| *seen == last), "decided on what never was");
            };
            for (stream, seen) in &append.reads {
                let present = present(&versions, stream).unwrap_or(0);
                assert_eq!(present, *seen, "decided on a version that is no longer so");
                is_as_seen(&lasts, *stream);
            }
            let mut ids = ids.iter();
            for write in &append.writes {
                for (before, event) in (write.expected..).zip(&write.events) {
                    let version = versions.entry(write.stream_id).or_default();
                    if *version > before {
                        return Err(Failure::Mistaken(ModelError("a version is there already")));
                    }
                    assert_eq!(*version, before, "a version is left out");
                    *version += 1;
                    if before == write.expected {
                        is_as_seen(&lasts, write.stream_id);
                    }
                    lasts.insert(write.stream_id, decided(&event.payload).0);
                    events.push(RecordedEvent {
                        position: Position(head.0 + events.len() as u64 + 1),
                        event_id: *ids.next().unwrap(),
                        stream_type: write.stream_type.to_owned(),
                        stream_id: write.stream_id,
                        version: *version,
                        event_type: event.event_type.clone().into_owned(),
                        schema_version: event.schema_version,
                        company_id: write.company_id,
                        actor: envelope.actor.clone(),
                        command_id: envelope.command_id,
                        correlation_id: envelope.correlation_id,
                        causation_id: envelope.causation_id,
                        recorded_at: rows.recorded_at,
                        payload: event.payload.clone(),
                    });
                }
            }
            let position = Position(head.0 + events.len() as u64);
            assert_eq!(outcome.position, position, "the answer names another position");
            let (stream, version) = (outcome.stream_id, outcome.version);
            let present = present(&versions, &stream).unwrap_or(0);
            assert_eq!(present, version, "the answer names another version");
        }
        for (append, outcome, _) in &rows.appends {
            if let Some(digest) = append.envelope.remember {
                let twice = self.commands.insert(append.envelope.command_id, (digest, *outcome));
                assert!(twice.is_none(), "one transaction executes a command twice");
            }
        }
        (self.versions, self.lasts) = (versions, lasts);
        self.events.extend(events);
        Ok(())
    }
}
