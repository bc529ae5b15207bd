//! A seeded simulation: several writers, as several processes have them, and their clients against
//! a model of PostgreSQL that loses connections at every point, before and after a commit, commits
//! late what was given up, and stops processes within a transaction.
//!
//! Time is paused and everything random comes from one seed, so a seed is a whole life and can be
//! lived again: `KONTOR_SIMULATION_SEED=… cargo nextest run -p kontor-event-log simulation`.
//! `KONTOR_SIMULATION_SEEDS` says how many lives a run lives.

mod server;

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{task::JoinSet, time::timeout};
use uuid::Uuid;

use self::server::{Model, ModelSession};
use super::Writer;
use crate::{
    Append, AppendError, Appended, Envelope, NewEvent, Outcome, Position, StreamWrite,
    suspension::Suspension,
};

/// How many lives an ordinary run lives.
const LIVES: u64 = 400;
/// Streams over which clients compete.
const STREAMS: u128 = 6;

/// What one client gave and was answered.
struct Given {
    command_id: Uuid,
    /// Whether it could be given again without being executed twice.
    remembered: bool,
    /// What it was answered at last; `None` when that was not known.
    answer: Option<Outcome>,
}

#[test]
fn acknowledged_once_and_in_order_whatever_happens() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("KONTOR_SIMULATION_SEED") {
        Some(seed) => seed..=seed,
        None => {
            let first = rand::random::<u64>() >> 1;
            first..=first + number("KONTOR_SIMULATION_SEEDS").unwrap_or(LIVES) - 1
        }
    };
    println!("seeds {seeds:?}");
    for seed in seeds {
        live(seed);
    }
}

/// The same seed is the same life.
#[test]
fn a_seed_can_be_lived_again() {
    for seed in 0..20 {
        assert_eq!(live(seed), live(seed), "seed {seed}");
    }
}

/// Lives a life and judges it; says what happened, as a digest of the trace.
fn live(seed: u64) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let mut random = StdRng::seed_from_u64(seed);
    let model = Model::new(StdRng::seed_from_u64(seed ^ 1), random.random_range(0.0..0.25));
    runtime.block_on(async {
        let writers: Vec<Writer> = (0..random.random_range(1..=3))
            .map(|process| {
                let server = model.process(process);
                Writer::start_on::<ModelSession>(server, Position::START, Suspension::none())
            })
            .collect();
        let mut clients = JoinSet::new();
        for _ in 0..random.random_range(1..=12) {
            let writer = writers[random.random_range(0..writers.len())].clone();
            let seed = random.random();
            clients.spawn(client(writer, model.clone(), StdRng::seed_from_u64(seed)));
        }
        let trouble = tokio::spawn(model.clone().stop_processes(writers.len()));
        let mut given = Vec::new();
        // Virtual time: whoever is not through by then waits for ever.
        let all = timeout(Duration::from_secs(3_600), async {
            while let Some(ended) = clients.join_next().await {
                given.extend(ended.unwrap_or_else(|error| panic!("seed {seed}: {error}")));
            }
        });
        assert!(all.await.is_ok(), "seed {seed}: somebody waits for ever");
        trouble.abort();
        // What is still on its way late arrives.
        tokio::time::sleep(Duration::from_secs(60)).await;
        judge(seed, &model, &given);
        model.trace()
    })
}

/// Gives commands one after the other, and each again under its id until it is answered.
async fn client(writer: Writer, model: Model, mut random: StdRng) -> Vec<Given> {
    let mut given = Vec::new();
    for _ in 0..random.random_range(1..=8) {
        tokio::time::sleep(Duration::from_millis(random.random_range(0..400))).await;
        let command_id = Uuid::from_u128(random.random());
        let mut answer = None;
        let streams = some_streams(&mut random);
        // Without a digest nothing but the log itself knows whether the command was executed.
        let digest = random.random_bool(0.6).then_some([7; 32]);
        let mut append = decide(&model, &mut random, command_id, digest, &streams);
        loop {
            match writer.append(append.clone()).await {
                Ok(Appended::Now { outcome, event_ids }) => {
                    model.check_written(&append, outcome, &event_ids);
                    answer = Some(outcome);
                    break;
                }
                Ok(Appended::Before(outcome)) => {
                    answer = Some(outcome);
                    break;
                }
                // Decided anew, under the same id.
                Err(AppendError::Conflict { .. }) => {
                    append = decide(&model, &mut random, command_id, digest, &streams);
                }
                // Not known, and nobody would notice that it is the same.
                Err(AppendError::Log(_)) if digest.is_none() => break,
                Err(AppendError::Log(_)) => {
                    // Not known: sometimes the same is given again, sometimes decided anew.
                    if random.random_bool(0.5) {
                        append = decide(&model, &mut random, command_id, digest, &streams);
                    }
                }
                Err(error) => panic!("{error}"),
            }
            tokio::time::sleep(Duration::from_millis(random.random_range(0..300))).await;
        }
        given.push(Given { command_id, remembered: digest.is_some(), answer });
    }
    given
}

/// One to three streams, each once.
fn some_streams(random: &mut StdRng) -> Vec<Uuid> {
    let mut streams: Vec<Uuid> = (0..random.random_range(1..=3))
        .map(|_| Uuid::from_u128(random.random_range(1..=STREAMS)))
        .collect();
    streams.sort();
    streams.dedup();
    streams
}

/// An append on what is known of the streams, which now and then is not the newest: the first is
/// written, the others are written or only read.
fn decide(
    model: &Model,
    random: &mut StdRng,
    command_id: Uuid,
    remember: Option<[u8; 32]>,
    streams: &[Uuid],
) -> Append {
    let mut writes: Vec<StreamWrite> = Vec::new();
    let mut reads = Vec::new();
    for &stream_id in streams {
        let version = model.version(stream_id);
        let stale = random.random_bool(0.1);
        let expected = if stale { version.saturating_sub(1) } else { version };
        if writes.is_empty() || random.random_bool(0.5) {
            let event = NewEvent {
                event_type: "thing.happened".into(),
                schema_version: 1,
                payload: "{}".to_owned(),
            };
            writes.push(StreamWrite {
                stream_type: "thing",
                stream_id,
                expected,
                company_id: None,
                events: vec![event; random.random_range(1..=3)],
            });
        } else {
            reads.push((stream_id, expected));
        }
    }
    let answer = (writes[0].stream_id, writes[0].expected);
    let envelope = Envelope {
        command_id,
        remember,
        actor: "simulation".to_owned(),
        correlation_id: command_id,
        causation_id: None,
    };
    Append { envelope, writes, reads, answer }
}

fn judge(seed: u64, model: &Model, given: &[Given]) {
    let events = model.events();
    // Positions are those of a list; versions of each stream run from 1 without a gap.
    let mut versions: HashMap<Uuid, u64> = HashMap::new();
    for event in &events {
        let version = versions.entry(event.stream_id).or_default();
        *version += 1;
        assert_eq!(event.version, *version, "seed {seed}: a gap in {}", event.stream_id);
    }
    let ids: HashSet<Uuid> = events.iter().map(|event| event.event_id).collect();
    assert_eq!(ids.len(), events.len(), "seed {seed}: an event is there twice");
    // A command's events stand together, so two places would be two executions.
    let mut places: HashMap<Uuid, Vec<u64>> = HashMap::new();
    for (position, event) in (1..).zip(&events) {
        places.entry(event.command_id).or_default().push(position);
    }
    for Given { command_id, remembered, answer } in given {
        let places = places.get(command_id).map_or(&[][..], Vec::as_slice);
        assert!(places.is_sorted_by(|a, b| a + 1 == *b), "seed {seed}: {command_id} ran twice");
        if let Some(outcome) = answer {
            let last = places.last().copied();
            assert_eq!(last, Some(outcome.position.0), "seed {seed}: {command_id} was lost");
            let kept = remembered.then_some(*outcome);
            assert_eq!(model.outcome(*command_id), kept, "seed {seed}");
        }
    }
}
