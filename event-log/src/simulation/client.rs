//! Clients: what they give, and whether what they are answered is true.

use std::collections::BTreeMap;

use kontor_tests::{note, simulation::World};
use uuid::Uuid;

use super::{
    execution::{Answer, Command, Execution, Sight},
    node::Node,
    postgres::{Postgres, Tables},
};
use crate::{
    Append, AppendError, Appended, Envelope, NewEvent, Outcome, RecordedEvent, StreamWrite,
};

/// Streams over which clients compete.
const STREAMS: u64 = 6;

/// Gives commands to some processes. Cheap to clone.
#[derive(Clone)]
pub(super) struct Client {
    world: World,
    postgres: Postgres,
    nodes: Vec<Node>,
}

/// What a client gave, and was answered at last.
pub(super) struct Given {
    command_id: Uuid,
    answer: Option<Outcome>,
    /// Attempts that were said to be refused.
    refused: Vec<u64>,
}

impl Client {
    pub(super) fn new(postgres: &Postgres, nodes: &[Node]) -> Self {
        let (world, postgres) = (postgres.world.clone(), postgres.clone());
        Self { world, postgres, nodes: nodes.to_vec() }
    }

    /// Gives some commands, one after the other.
    pub(super) async fn run(self) -> Vec<Given> {
        let mut given = Vec::new();
        for _ in 0..self.world.number(1..=8) {
            self.world.pass(3_000).await;
            let id = Uuid::from_u128(self.world.random());
            if self.world.bool(0.6) {
                let digest = self.world.bool(0.7).then_some(1);
                let command = self.command(id, digest);
                // Sometimes twice at the same time.
                if digest.is_some() && self.world.bool(0.2) {
                    given.extend(
                        both(self.carry_out(command.clone()), self.carry_out(command)).await,
                    );
                } else {
                    given.push(self.carry_out(command).await);
                }
                continue;
            }
            match self.world.number(0..=9) {
                // Twice at the same time; and by somebody who uses the same id for another request.
                0 => given.extend(both(self.execute(id, Some(1)), self.execute(id, Some(1))).await),
                1 => given.extend(both(self.execute(id, Some(1)), self.execute(id, Some(2))).await),
                2..=4 => given.push(self.execute(id, None).await),
                _ => given.push(self.execute(id, Some(1)).await),
            }
        }
        given
    }

    /// Sends commands without waiting for their results.
    pub(super) async fn press(self) {
        for _ in 0..20 {
            let attempt = self.decide(Uuid::from_u128(self.world.random()), None);
            self.nodes[self.world.index(self.nodes.len())].give(attempt.append).await;
            self.world.pass(300).await;
        }
    }

    /// Gives a command until the answer is known; if nobody would notice that it is the same,
    /// only until it may have been executed.
    async fn execute(&self, command_id: Uuid, digest: Option<u8>) -> Given {
        let mut given = Given { command_id, answer: None, refused: Vec::new() };
        let mut attempt = self.decide(command_id, digest);
        loop {
            let node = self.world.index(self.nodes.len());
            match self.nodes[node].give(attempt.append.clone()).await {
                Some(Ok(appended)) => {
                    self.check_answer(&attempt.append, &appended);
                    note!(self.world, "answered {}", appended.outcome().position);
                    given.answer = Some(appended.outcome());
                    return given;
                }
                Some(Err(AppendError::Conflict { stream_id })) => {
                    self.check_conflict(&attempt.append, stream_id);
                    given.refused.push(attempt.number);
                    attempt = self.decide(command_id, digest);
                }
                Some(Err(AppendError::KeyReused)) => {
                    let first = self.postgres.tables().commands[&command_id].0;
                    assert_ne!(Some(first), digest.map(|digest| [digest; 32]), "nobody else did");
                    return given;
                }
                Some(Err(error)) => panic!("{error}"),
                None if digest.is_none() => return given,
                // Not known: sometimes the same is given again, sometimes decided anew.
                None if self.world.bool(0.5) => attempt = self.decide(command_id, digest),
                None => {}
            }
            self.world.pass(500).await;
        }
    }

    /// A command that a process decides by itself. Most are about one stream that all want.
    fn command(&self, id: Uuid, digest: Option<u8>) -> Command {
        let world = &self.world;
        let mut streams: Vec<u64> =
            (0..world.number(0..=2)).map(|_| world.number(1..=STREAMS)).collect();
        if streams.is_empty() || world.bool(0.7) {
            streams.push(1);
        }
        streams.sort_unstable();
        streams.dedup();
        let size = |(index, stream): (usize, u64)| {
            let writes = digest.is_none() && index == 0 || world.bool(0.7);
            (Uuid::from_u128(stream.into()), if writes { world.number(1..=3) } else { 0 })
        };
        let streams = streams.into_iter().enumerate().map(size).collect();
        Command { id, digest, streams, is_refused: world.bool(0.15) }
    }

    /// Has a process decide a command, as often as nobody knows what became of it; one that nobody
    /// would notice to be the same, once.
    async fn carry_out(&self, command: Command) -> Given {
        let mut given = Given { command_id: command.id, answer: None, refused: Vec::new() };
        loop {
            let start = self.postgres.tables().head().0;
            let node = self.world.index(self.nodes.len());
            match self.nodes[node].execute(command.clone()).await {
                Some(Execution { answer, refused }) => {
                    given.refused.extend(refused);
                    match answer {
                        Answer::Done(number, outcome) => {
                            note!(self.world, "carried out {}", outcome.position);
                            self.check_done(&command, number, outcome);
                            given.answer = Some(outcome);
                            return given;
                        }
                        Answer::Before(outcome) => {
                            let tables = self.postgres.tables();
                            assert_eq!(tables.commands[&command.id].1, outcome, "another answer");
                            given.answer = Some(outcome);
                            return given;
                        }
                        Answer::Refused(sights) => {
                            note!(self.world, "refused on {sights:?}");
                            check_refusal(&self.postgres.tables(), start, &sights);
                            return given;
                        }
                        Answer::KeyReused => panic!("nobody else has this id"),
                        Answer::Unavailable if command.digest.is_none() => return given,
                        Answer::Conflict | Answer::Unavailable => {}
                    }
                }
                None if command.digest.is_none() => return given,
                None => {}
            }
            self.world.pass(500).await;
        }
    }

    /// What a process says that it has done stands in the log.
    fn check_done(&self, command: &Command, number: u64, outcome: Outcome) {
        let tables = self.postgres.tables();
        if let Some(digest) = command.digest {
            let remembered = tables.commands.get(&command.id);
            assert_eq!(remembered, Some(&([digest; 32], outcome)), "another answer is remembered");
        }
        if command.streams.iter().any(|(_, size)| *size > 0) {
            let last = usize::try_from(outcome.position.0).unwrap() - 1;
            let is_durable = tables.events.get(last).map(|event| decided(&event.payload).0);
            assert_eq!(is_durable, Some(number), "acknowledged, and not durable");
        }
    }

    /// What was answered stands in the log, as it was given.
    fn check_answer(&self, append: &Append, appended: &Appended) {
        let tables = self.postgres.tables();
        let outcome = appended.outcome();
        if let Some(digest) = append.envelope.remember {
            let remembered = tables.commands.get(&append.envelope.command_id);
            assert_eq!(remembered, Some(&(digest, outcome)), "another answer is remembered");
        }
        if let Appended::Now { event_ids, .. } = appended {
            let last = usize::try_from(outcome.position.0).unwrap();
            let ids = |event: &RecordedEvent| event.event_id;
            let stored: Vec<Uuid> =
                tables.events[last - append.len()..last].iter().map(ids).collect();
            assert_eq!(stored, *event_ids, "other events stand at {}", outcome.position);
        }
    }

    /// A stream that is said to have moved on has.
    fn check_conflict(&self, append: &Append, stream: Uuid) {
        let written = append.writes.iter().find(|write| write.stream_id == stream);
        let read = append.reads.iter().find(|(id, _)| *id == stream);
        let seen = written.map(|write| write.expected).or(read.map(|(_, version)| *version));
        let present = self.postgres.tables().version(stream);
        assert!(seen.is_some_and(|seen| present > seen), "{seen:?} was not stale at {present}");
    }

    /// Decides on one to three streams, of which not always the newest is known: some are written,
    /// the others only read. A command that is remembered may have nothing to write.
    fn decide(&self, command_id: Uuid, digest: Option<u8>) -> Attempt {
        let world = &self.world;
        let number = world.number(0..=u64::MAX);
        let mut streams: Vec<Uuid> = (0..world.number(1..=3))
            .map(|_| Uuid::from_u128(world.number(1..=STREAMS).into()))
            .collect();
        streams.sort();
        streams.dedup();
        let (mut sizes, mut reads) = (Vec::new(), Vec::new());
        for stream in streams {
            let version = self.postgres.tables().version(stream);
            let stale = world.bool(0.2);
            let version = if stale { version.saturating_sub(1) } else { version };
            let must = digest.is_none() && sizes.is_empty();
            if must || world.bool(0.6) {
                sizes.push((stream, version, world.number(1..=3)));
            } else {
                reads.push((stream, version));
            }
        }
        let of: u64 = sizes.iter().map(|(.., size)| size).sum();
        let event = NewEvent {
            event_type: "thing.happened".into(),
            schema_version: 1,
            payload: payload(number, of, &[]),
        };
        let write = |&(stream_id, expected, size): &(Uuid, u64, u64)| StreamWrite {
            stream_type: "thing",
            stream_id,
            expected,
            company_id: None,
            events: vec![event.clone(); usize::try_from(size).unwrap()],
        };
        let first = sizes.first().map(|&(stream, version, _)| (stream, version));
        let append = Append {
            envelope: Envelope {
                command_id,
                remember: digest.map(|digest| [digest; 32]),
                actor: "simulation".to_owned(),
                correlation_id: command_id,
                causation_id: None,
            },
            writes: sizes.iter().map(write).collect(),
            answer: first.or(reads.first().copied()).expect("there is at least one stream"),
            reads,
        };
        Attempt { number, append }
    }
}

/// One try at a command. Its events tell its number, and how many they are.
struct Attempt {
    number: u64,
    append: Append,
}

/// What an event tells: which attempt at a command wrote it, how many events that wrote, and what
/// the decision saw.
pub(super) fn payload(number: u64, of: u64, sights: &[Sight]) -> String {
    serde_json::to_string(&(number, of, sights)).unwrap()
}

pub(super) fn decided(payload: &str) -> (u64, u64, Vec<Sight>) {
    serde_json::from_str(payload).unwrap()
}

/// A refusal was decided on what is durable, and was all so at one moment since it was asked for.
fn check_refusal(tables: &Tables, start: u64, sights: &[Sight]) {
    let (mut since, mut until) = (start, tables.head().0);
    for &(stream, version, last) in sights {
        let at = |version| {
            let mut events = tables.events.iter();
            events.find(|event| event.stream_id == stream && event.version == version)
        };
        if version > 0 {
            let event = at(version).expect("refused on what is not durable");
            assert_eq!(decided(&event.payload).0, last, "refused on what never was");
            since = since.max(event.position.0);
        }
        if let Some(next) = at(version + 1) {
            until = until.min(next.position.0 - 1);
        }
    }
    assert!(since <= until, "refused on what was never so at one time");
}

async fn both(one: impl Future<Output = Given>, other: impl Future<Output = Given>) -> [Given; 2] {
    futures::future::join(one, other).await.into()
}

/// What was acknowledged is in the log once, what was not at most once, what was refused never.
pub(super) fn judge(postgres: &Postgres, given: &[Given]) {
    let tables = postgres.tables();
    let mut executed: BTreeMap<Uuid, Vec<(u64, u64, u64)>> = BTreeMap::new();
    let mut versions: BTreeMap<Uuid, u64> = BTreeMap::new();
    for (position, event) in (1..).zip(&tables.events) {
        assert_eq!(event.position.0, position, "a gap");
        let before = versions.insert(event.stream_id, event.version).unwrap_or(0);
        assert_eq!(event.version, before + 1, "a gap in a stream");
        let (number, of, _) = decided(&event.payload);
        executed.entry(event.command_id).or_default().push((number, of, position));
    }
    for places in executed.values() {
        let (number, of, first) = places[0];
        let once = (first..first + of).map(|position| (number, of, position));
        assert!(once.eq(places.iter().copied()), "executed more than once: {places:?}");
    }
    for Given { command_id, answer, refused } in given {
        let places = executed.get(command_id).map_or(&[][..], Vec::as_slice);
        assert!(!places.iter().any(|(number, ..)| refused.contains(number)), "refused, and done");
        if let (Some(outcome), Some((.., last))) = (answer, places.last()) {
            assert_eq!(outcome.position.0, *last, "it stands elsewhere");
        }
    }
}
