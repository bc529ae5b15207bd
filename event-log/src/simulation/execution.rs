//! A command as a process carries it out, deciding on what is not durable yet: the loop of
//! `EventLog::execute`, with a model of what it loads.

use std::{any::TypeId, collections::BTreeSet, convert::Infallible, sync::Arc};

use kontor_tests::simulation::World;
use uuid::Uuid;

use super::{client, postgres::Postgres};
use crate::{
    Append, Envelope, ExecuteError, Loaded, NewEvent, Outcome, StreamWrite,
    execute::{Decision, HandedOver, Queued},
    pending::{AppendStatus, Decided, Pending, Seen},
    writer::Writer,
};

/// What a client asks for.
#[derive(Clone)]
pub(super) struct Command {
    pub(super) id: Uuid,
    pub(super) digest: Option<u8>,
    /// Streams, each with how many events it writes to it; those of none are only read.
    pub(super) streams: Vec<(Uuid, u64)>,
    /// Whether the decision says no.
    pub(super) is_refused: bool,
}

/// What came of a command.
pub(super) struct Execution {
    pub(super) answer: Answer,
    /// Attempts that were said not to be written.
    pub(super) refused: Vec<u64>,
}

pub(super) enum Answer {
    /// This attempt was written.
    Done(u64, Outcome),
    /// It had been executed before.
    Before(Outcome),
    /// It was decided on these.
    Refused(Vec<Sight>),
    KeyReused,
    /// Others kept changing the same.
    Conflict,
    /// What became of it is not known.
    Unavailable,
}

/// A stream as a decision saw it: its version, and which attempt wrote its last event.
pub(super) type Sight = (Uuid, u64, u64);

/// The state of a stream: which attempt wrote its last event.
#[derive(Debug, Clone, Default)]
struct Last(u64);

/// How often another process may be faster.
const RETRIES: u32 = 8;

pub(super) async fn execute(
    world: &World,
    postgres: &Postgres,
    pending: &Arc<Pending>,
    writer: &Writer,
    command: &Command,
) -> Execution {
    let mut refused = Vec::new();
    let mut queued = Queued::new(pending, &[]);
    // Others come between.
    world.pass(5).await;
    while queued.lost <= RETRIES {
        let pause = |attempt: u32| world.moment(2 << attempt.min(6));
        queued.come(pending, pause).await;
        let number = world.number(0..=u64::MAX);
        let seen = load(world, postgres, pending, &mut queued, command).await;
        let sights: Vec<Sight> =
            seen.iter().map(|(seen, last)| (seen.key.1, seen.version, *last)).collect();
        let on_pending = seen.iter().any(|(seen, _)| seen.made_by.is_some());
        if command.is_refused && !on_pending {
            let tables = postgres.tables();
            if sights.iter().all(|(stream, version, _)| tables.version(*stream) == *version) {
                return Execution { answer: Answer::Refused(sights), refused };
            }
            for (Seen { key: (kind, id), version, .. }, _) in &seen {
                pending.cache().forget(*kind, *id, *version);
            }
            queued.lose(&BTreeSet::new());
            continue;
        }
        let append = append(command, number, &sights);
        let made: Vec<_> = append
            .writes
            .iter()
            .map(|write| {
                let version = write.expected + write.events.len() as u64;
                let state = Loaded { version, state: Last(number), ..Loaded::default() };
                ((TypeId::of::<Last>(), write.stream_id), Arc::new(state) as _)
            })
            .collect();
        let decided =
            Decided { made, append, seen: seen.into_iter().map(|(seen, _)| seen).collect() };
        let built_on = sights.iter().map(|(stream, ..)| *stream).collect();
        let decision = Decision { decided, place: queued.place.take(), built_on };
        let answer = match queued.hand_over::<Infallible>(pending, writer, decision).await {
            Ok(HandedOver::Written(_)) if command.is_refused => Answer::Refused(sights),
            Ok(HandedOver::Written(outcome)) => Answer::Done(number, outcome),
            Ok(HandedOver::Before(outcome)) => Answer::Before(outcome),
            Ok(HandedOver::Repeated | HandedOver::Lost) => {
                refused.push(number);
                continue;
            }
            Err(ExecuteError::KeyReused) => Answer::KeyReused,
            Err(ExecuteError::Log(_)) => Answer::Unavailable,
            Err(error) => panic!("{error}"),
        };
        return Execution { answer, refused };
    }
    Execution { answer: Answer::Conflict, refused }
}

/// Every stream of a command: not durable yet, remembered, or as PostgreSQL has it.
async fn load(
    world: &World,
    postgres: &Postgres,
    pending: &Arc<Pending>,
    queued: &mut Queued,
    command: &Command,
) -> Vec<(Seen, u64)> {
    let mut all = Vec::new();
    for &(stream, _) in &command.streams {
        if queued.place.is_none() {
            let contested = pending.contested([stream].into_iter(), queued.ticket);
            if !contested.is_empty() {
                let place = pending.enter(queued.ticket, contested);
                queued.place.insert(place).come().await;
            }
        }
        let key = (TypeId::of::<Last>(), stream);
        let seen = |loaded: &Loaded<Last>, made_by: Option<Arc<AppendStatus>>| {
            (Seen { key, version: loaded.version, made_by }, loaded.state.0)
        };
        all.push(if let Some((loaded, made_by)) = pending.tip::<Last>(stream) {
            seen(&loaded, Some(made_by))
        } else if let Some(loaded) = pending.cache().get::<Last>(stream) {
            seen(&loaded, None)
        } else {
            let (version, last) = {
                let tables = postgres.tables();
                (tables.version(stream), tables.last(stream))
            };
            world.pass(5).await;
            let loaded = Loaded { version, state: Last(last), ..Loaded::default() };
            pending.cache().put(stream, Arc::new(loaded.clone()));
            seen(&loaded, None)
        });
        if world.bool(0.2) {
            world.pass(3).await;
        }
    }
    all
}

fn append(command: &Command, number: u64, sights: &[Sight]) -> Append {
    let Command { id, digest, ref streams, is_refused } = *command;
    let mut writes: Vec<StreamWrite> = Vec::new();
    let mut reads = Vec::new();
    let of: u64 = streams.iter().map(|(_, size)| size).sum();
    for (&(stream_id, expected, _), &(_, size)) in sights.iter().zip(streams) {
        if is_refused || size == 0 {
            reads.push((stream_id, expected));
            continue;
        }
        let event = NewEvent {
            event_type: "thing.happened".into(),
            schema_version: 1,
            payload: client::payload(number, of, sights),
        };
        writes.push(StreamWrite {
            stream_type: "thing",
            stream_id,
            expected,
            company_id: None,
            events: vec![event; usize::try_from(size).unwrap()],
        });
    }
    let first = writes.first().map(|write| (write.stream_id, write.expected));
    Append {
        envelope: Envelope {
            command_id: id,
            remember: digest.filter(|_| !is_refused).map(|digest| [digest; 32]),
            actor: "simulation".to_owned(),
            correlation_id: id,
            causation_id: None,
        },
        answer: first.unwrap_or_else(|| reads[0]),
        writes,
        reads,
    }
}
