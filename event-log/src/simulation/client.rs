//! Clients: what they give, and whether what they are answered is true.

use std::collections::BTreeMap;

use kontor_tests::{note, simulation::World};
use uuid::Uuid;

use super::{node::Node, postgres::Postgres};
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

    /// Gives commands in haste, and does not mind what becomes of them.
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
            payload: format!("[{number},{of}]"),
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
        let (number, of) = serde_json::from_str(&event.payload).unwrap();
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
