//! Looking things up: whatever is asked, the answer is what reading everything and leaving out the
//! rest would give; and looking back.

use event_log::{
    Append, At, Direction, EventLog, Lookup, NewEvent, PastStateError, Position, RecordedEvent,
    StreamWrite, WorkError,
};
use futures::{FutureExt, TryStreamExt};
use jiff::tz::TimeZone;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use uuid::Uuid;

use crate::{
    account::{Account, Command, append, envelope},
    server::{connect, fresh_log},
};

const KINDS: [&str; 2] = ["offer", "purse"];
const TYPES: [[&str; 3]; 2] = [
    ["offer.drafted", "offer.sent", "offer.withdrawn"],
    ["purse.filled", "purse.emptied", "purse.lost"],
];

fn id(number: u32) -> Uuid {
    Uuid::from_u128(u128::from(number) + 1)
}

/// Appends of random shape: some streams, companies, types, requests and commands.
async fn fill(log: &EventLog, random: &mut StdRng, versions: &mut [u64; 6], appends: usize) {
    for _ in 0..appends {
        let stream = random.random_range(0..6_u32);
        let at = usize::try_from(stream).unwrap();
        let events: Vec<NewEvent> = (0..random.random_range(1..4))
            .map(|_| NewEvent {
                event_type: TYPES[at % 2][random.random_range(0..3)].into(),
                schema_version: 1,
                payload: "{}".to_owned(),
            })
            .collect();
        let write = StreamWrite {
            stream_type: KINDS[at % 2],
            stream_id: id(stream),
            expected: versions[at],
            company_id: (stream > 1).then(|| id(stream / 2)),
            events,
        };
        versions[at] += write.events.len() as u64;
        let mut envelope = envelope();
        envelope.correlation_id = id(random.random_range(0..5));
        envelope.command_id = id(random.random_range(0..8));
        envelope.causation_id = maybe(random, |r| id(r.random_range(0..4)));
        let append: Append = append(envelope, vec![write], vec![]);
        log.append(append).await.unwrap();
    }
}

fn maybe<T>(random: &mut StdRng, value: impl FnOnce(&mut StdRng) -> T) -> Option<T> {
    random.random_bool(0.3).then(|| value(random))
}

fn question(random: &mut StdRng, all: &[RecordedEvent]) -> Lookup {
    let instant = |random: &mut StdRng| all[random.random_range(0..all.len())].recorded_at;
    let types = |random: &mut StdRng| {
        let count = if random.random_bool(0.3) { random.random_range(1..3) } else { 0 };
        (0..count)
            .map(|_| TYPES[random.random_range(0..2)][random.random_range(0..3)].to_owned())
            .collect()
    };
    Lookup {
        stream_id: maybe(random, |r| id(r.random_range(0..7))),
        stream_type: maybe(random, |r| KINDS[r.random_range(0..2)].to_owned()),
        event_types: types(random),
        company_id: maybe(random, |r| id(r.random_range(0..4))),
        correlation_id: maybe(random, |r| id(r.random_range(0..6))),
        command_id: maybe(random, |r| id(r.random_range(0..9))),
        causation_id: maybe(random, |r| id(r.random_range(0..5))),
        since: maybe(random, instant),
        until: maybe(random, instant),
        disclosed: random.random_bool(0.3),
    }
}

/// Events disclosed to the company: none of an offer before it was sent.
fn disclosed(event: &RecordedEvent, all: &[RecordedEvent]) -> bool {
    let sent = |other: &RecordedEvent| {
        other.stream_id == event.stream_id
            && other.version <= event.version
            && other.event_type == "offer.sent"
    };
    event.event_type != "offer.drafted" && (event.stream_type != "offer" || all.iter().any(sent))
}

fn fits(event: &RecordedEvent, lookup: &Lookup, all: &[RecordedEvent]) -> bool {
    fn is<T: PartialEq>(wanted: Option<&T>, found: &T) -> bool {
        wanted.is_none_or(|wanted| wanted == found)
    }
    is(lookup.stream_id.as_ref(), &event.stream_id)
        && is(lookup.stream_type.as_ref(), &event.stream_type)
        && (lookup.event_types.is_empty() || lookup.event_types.contains(&event.event_type))
        && lookup.company_id.is_none_or(|company| event.company_id == Some(company))
        && is(lookup.correlation_id.as_ref(), &event.correlation_id)
        && is(lookup.command_id.as_ref(), &event.command_id)
        && lookup.causation_id.is_none_or(|cause| event.causation_id == Some(cause))
        && lookup.since.is_none_or(|since| event.recorded_at >= since)
        && lookup.until.is_none_or(|until| event.recorded_at < until)
        && (!lookup.disclosed || disclosed(event, all))
}

/// Page after page, until one is not full.
async fn pages(log: &EventLog, lookup: &Lookup, way: Direction, size: usize) -> Vec<RecordedEvent> {
    let (mut found, mut from) = (Vec::new(), None);
    loop {
        let page = log.find(lookup, way, from, size).await.unwrap();
        assert!(page.len() <= size);
        from = page.last().map(|event| event.position);
        let full = page.len() == size;
        found.extend(page);
        if !full {
            return found;
        }
    }
}

#[tokio::test]
async fn finds_what_reading_everything_would() {
    let (_database, log) = fresh_log().await;
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let (mut random, mut versions) = (StdRng::seed_from_u64(seed), [0; 6]);
    fill(&log, &mut random, &mut versions, 60).await;
    // The directory knows the first half; what follows is looked through.
    let entered = log.fill_directory().await.unwrap();
    assert_eq!(entered, log.head().await.unwrap().0);
    fill(&log, &mut random, &mut versions, 60).await;
    let all = log.read(Position::START, 1_000).await.unwrap();
    assert!(all.is_sorted_by_key(|event| event.recorded_at), "times never go back");
    for round in 0..300 {
        let lookup = question(&mut random, &all);
        let size = random.random_range(1..30);
        let mut expected: Vec<_> = all.iter().filter(|e| fits(e, &lookup, &all)).cloned().collect();
        let forwards = pages(&log, &lookup, Direction::Forwards, size).await;
        assert_eq!(forwards, expected, "seed {seed}, round {round}: {lookup:?}");
        expected.reverse();
        let backwards = pages(&log, &lookup, Direction::Backwards, size).await;
        assert_eq!(backwards, expected, "seed {seed}, round {round}: {lookup:?}");
    }
    let streamed = log.find_all(Lookup::default(), Direction::Backwards, None);
    let mut streamed: Vec<_> = streamed.try_collect().await.unwrap();
    streamed.reverse();
    assert_eq!(streamed, all);
}

/// What is long is not read where nobody wants it, nor all at once where somebody does.
#[tokio::test]
async fn long_payloads_come_little_by_little() {
    let (_database, log) = fresh_log().await;
    let long = |event_type: &'static str| NewEvent {
        event_type: event_type.into(),
        schema_version: 1,
        payload: format!("\"{}\"", "x".repeat(600_000)),
    };
    let types = ["offer.drafted", "offer.sent", "offer.drafted", "offer.drafted"];
    let write = StreamWrite {
        stream_type: "offer",
        stream_id: id(1),
        expected: 0,
        company_id: Some(id(2)),
        events: types.map(long).to_vec(),
    };
    log.append(append(envelope(), vec![write], vec![])).await.unwrap();
    let all = log.read_stream(id(1), 0, 10).await.unwrap();

    let lookup = Lookup { company_id: Some(id(2)), ..Lookup::default() };
    let skim = async |with_payload: &[&str], from: u64| {
        let page = log.skim(&lookup, with_payload, Position(from), 10).await.unwrap();
        page.iter().map(|event| (event.position.0, event.payload.len())).collect::<Vec<_>>()
    };
    assert_eq!(skim(&[], 0).await, [(1, 0), (2, 0), (3, 0), (4, 0)]);
    let (drafted, length) = (["offer.drafted"], all[0].payload.len());
    assert_eq!(skim(&drafted, 0).await, [(1, length), (2, 0), (3, length)]);
    assert_eq!(skim(&drafted, 3).await, [(4, length)]);
    assert_eq!(skim(&drafted, 4).await, []);

    for (at, lengths) in [
        (At::Now, vec![2, 2]),
        (At::Version(3), vec![2, 1]),
        (At::Version(2), vec![2]),
        (At::Version(0), vec![]),
    ] {
        let stretches = log.stretches_until(id(1), at).try_collect::<Vec<_>>().await.unwrap();
        assert_eq!(stretches.iter().map(Vec::len).collect::<Vec<_>>(), lengths, "{at:?}");
        let count = lengths.iter().sum();
        assert_eq!(stretches.concat(), all[..count]);
    }
}

/// Questions that wait, here for a lock, hold no connection that a decision needs.
#[tokio::test]
async fn questions_keep_no_command_waiting() {
    let (database, log) = fresh_log().await;
    // A transaction sees what others do as it was at its first look, so another one holds the lock.
    let locking = connect(&database.url).await;
    locking.batch_execute("BEGIN; LOCK TABLE log.directory").await.unwrap();
    let lookup = Lookup { company_id: Some(id(1)), ..Lookup::default() };
    let questions: Vec<_> = (0..20)
        .map(|_| {
            let (log, lookup) = (log.clone(), lookup.clone());
            tokio::spawn(async move { log.find(&lookup, Direction::Forwards, None, 1).await })
        })
        .collect();
    while database.number(WAITING).await == 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..20 {
        log.load::<domain::Company>(Uuid::now_v7()).await.unwrap();
    }
    locking.batch_execute("COMMIT").await.unwrap();
    for question in questions {
        assert_eq!(question.await.unwrap().unwrap(), []);
    }
}

/// Connections of this database that wait for a lock.
const WAITING: &str = "\
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'";

/// Two processes enter the directory at once; nothing is entered twice or left out.
#[tokio::test]
async fn the_directory_is_filled_once() {
    let (database, log) = fresh_log().await;
    let other = database.open().await;
    let (mut random, mut versions) = (StdRng::seed_from_u64(1), [0; 6]);
    for _ in 0..10 {
        fill(&log, &mut random, &mut versions, 5).await;
        let (one, two) = tokio::join!(log.fill_directory(), other.fill_directory());
        assert!(one.unwrap() + two.unwrap() > 0);
    }
    log.fill_directory().await.unwrap();
    let entries = database.number("SELECT count(*) FROM log.directory").await;
    assert_eq!(entries.unsigned_abs(), log.head().await.unwrap().0);
}

#[tokio::test]
async fn instants_are_found_among_positions() {
    let (_database, log) = fresh_log().await;
    let (mut random, mut versions) = (StdRng::seed_from_u64(2), [0; 6]);
    assert_eq!(log.position_before(jiff::Timestamp::now()).await.unwrap(), Position::START);
    fill(&log, &mut random, &mut versions, 40).await;
    let all = log.read(Position::START, 1_000).await.unwrap();
    for event in &all {
        let before = all.iter().filter(|other| other.recorded_at < event.recorded_at).count();
        let found = log.position_before(event.recorded_at).await.unwrap();
        assert_eq!(found.0, before as u64);
    }
    let stats = log.stats(&TimeZone::UTC, 3).await.unwrap();
    assert_eq!(stats.events.0, all.len() as u64);
    assert_eq!(stats.types.iter().map(|(_, count)| count).sum::<u64>(), stats.events.0);
    assert_eq!(stats.days.iter().map(|(_, count)| count).sum::<u64>(), stats.events.0);
    assert_eq!(stats.last_hour, stats.events.0);
    assert_eq!(stats.streams, versions.iter().filter(|version| **version > 0).count() as u64);
}

#[tokio::test]
async fn reads_a_past_state() {
    use domain::{Company, company::Command};

    let (_database, log) = fresh_log().await;
    let company = Uuid::now_v7();
    let profile = serde_json::from_value(serde_json::json!({
        "name": "Hotel", "tax_id": { "kind": "nip", "number": "5260250274" },
    }));
    let register = Command::Register {
        id: company.into(),
        profile: profile.unwrap(),
        payment_term: domain::PaymentTerm::net(14),
    };
    let suspend = Command::Suspend { reason: "overdue".parse().unwrap() };
    let mut seen = Vec::new();
    for command in [register, suspend, Command::Reinstate] {
        log.execute(&envelope(), |work| {
            let command = command.clone();
            async move {
                let decided = work.decide::<Company>(company, command).await;
                decided.map_err(|error: WorkError<_>| error.to_string())
            }
            .boxed()
        })
        .await
        .unwrap();
        let state = log.load::<Company>(company).await.unwrap();
        seen.push(serde_json::to_value(&state.state).unwrap());
    }
    let events = log.read_stream(company, 0, 10).await.unwrap();
    for (event, state) in events.iter().zip(&seen) {
        for at in [At::Version(event.version), At::Position(event.position)] {
            let then = log.state_at(company, at).await.unwrap();
            assert_eq!((&then.state, then.version), (state, event.version), "{at:?}");
        }
    }
    let last = &events[2];
    for at in [At::Now, At::Version(99), At::Instant(last.recorded_at)] {
        assert_eq!(&log.state_at(company, at).await.unwrap().state, &seen[2], "{at:?}");
    }
    let before = events[0].recorded_at - jiff::SignedDuration::from_micros(1);
    for (id, at) in [(company, At::Instant(before)), (company, At::Version(0)), (id(77), At::Now)] {
        let nothing = log.state_at(id, at).await;
        assert!(matches!(nothing, Err(PastStateError::Nothing)), "{nothing:?}");
    }
}

/// Of many at once: what has not changed since, what has, what did not exist yet, and what never did,
/// some of them named twice; from memory and without it.
#[tokio::test]
async fn reads_many_past_states() {
    let (database, log) = fresh_log().await;
    let accounts: Vec<Uuid> = (0..8).map(|_| Uuid::now_v7()).collect();
    let mut random = StdRng::seed_from_u64(3);
    for _ in 0..40 {
        let id = accounts[random.random_range(0..7)];
        let amounts: Vec<i64> =
            (0..random.random_range(1..4)).map(|_| random.random_range(1..100)).collect();
        log.execute(&envelope(), |work| {
            let amounts = amounts.clone();
            async move { work.decide::<Account>(id, Command::Deposit(amounts)).await }.boxed()
        })
        .await
        .unwrap();
    }
    let twice: Vec<Uuid> = accounts.iter().chain(&accounts).copied().collect();
    let head = log.head().await.unwrap().0;
    for at in (0..=head).step_by(6).chain([head]) {
        // Another process has nothing in memory yet.
        let cold = database.open().await;
        for (log, ids) in [(&log, &accounts), (&log, &twice), (&cold, &twice), (&cold, &twice)] {
            let found = log.load_many_at::<Account>(ids, Position(at)).await.unwrap();
            assert_eq!(found.len(), accounts.len());
            for (id, found) in found {
                let alone = log.load_at::<Account>(id, At::Position(Position(at))).await.unwrap();
                let (version, state) = (alone.version, &alone.state);
                assert_eq!((found.version, &found.state), (version, state), "{id} at {at}");
            }
        }
    }
    // What it was before stays apart from what decisions load.
    for id in accounts {
        let now = log.load::<Account>(id).await.unwrap();
        let alone = log.load_at::<Account>(id, At::Position(Position(head))).await.unwrap();
        assert_eq!((now.version, &now.state), (alone.version, &alone.state));
    }
}

#[tokio::test]
async fn a_stream_that_is_named_twice_is_replayed_once() {
    let (database, log) = fresh_log().await;
    let id = Uuid::now_v7();
    let deposit = |log: EventLog| async move {
        log.execute(&envelope(), |work| {
            async move { work.decide::<Account>(id, Command::Deposit(vec![5, 6])).await }.boxed()
        })
        .await
        .unwrap();
    };
    deposit(log.clone()).await;
    let cold = database.open().await;
    assert_eq!(cold.load_many::<Account>(&[id, id]).await.unwrap()[&id].state.balance, 11);
    // Now what is in its memory is stale.
    deposit(log).await;
    let newest = cold.newest_many::<Account>(&[id, id]).await.unwrap();
    assert_eq!((newest[&id].version, newest[&id].state.balance), (4, 22));
    assert_eq!(cold.load::<Account>(id).await.unwrap().state.balance, 22);
}
