//! A log that was restored to an earlier state: it is noticed, and there are ways out.

use async_nats::jetstream;
use event_log::{
    AppendError, Appended, Envelope, Error, EventLog, ExecuteError, LogConfig, Position, WorkError,
    recover::{RecoverError, Recovered, recover},
};
use futures::FutureExt;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    account::{self, Account, Command, append, deposit, envelope, remembered},
    relay::{self, Nats, until_halted, until_published},
    server::{Database, connect, fresh_log},
};

const EVENTS: &str = "SELECT e::text FROM log.events e ORDER BY position";
/// As if another server, which had never had the events after the tenth, had gone on in its own way.
const FORK: &str = "
    BEGIN;
    ALTER TABLE log.events DISABLE TRIGGER append_only;
    UPDATE log.events SET event_id = gen_random_uuid() WHERE position > 10;
    INSERT INTO log.events
        SELECT (jsonb_populate_record(e, jsonb_build_object(
            'position', position + 10, 'version', version + 10,
            'event_id', gen_random_uuid()))).*
        FROM log.events e WHERE position > 10;
    UPDATE log.head SET position = 30;
    ALTER TABLE log.events ENABLE ALWAYS TRIGGER append_only;
    COMMIT";
const TERMINATE: &str = "\
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1";

/// A log whose history is published, and a copy of its database as it was before the end.
struct Restored {
    nats: Nats,
    lost: (Database, EventLog),
    earlier: Database,
}

impl Restored {
    /// So many events are in both, and so many more in the stream.
    async fn new(both: usize, more: usize) -> Self {
        let (database, log) = fresh_log().await;
        let nats = Nats::new().await;
        relay::append(&log, both, 10).await;
        let earlier = database.copy().await;
        relay::append(&log, more, 10).await;
        publish(&nats, &log).await;
        Self { nats, lost: (database, log), earlier }
    }

    async fn recover(&mut self, log: &EventLog) -> Result<Recovered, RecoverError> {
        let (jetstream, config) = (self.nats.jetstream(), &self.nats.config);
        recover(&mut self.earlier.owner, log, &jetstream, config).await
    }
}

async fn publish(nats: &Nats, log: &EventLog) {
    let (relay, cancel) = (nats.relay(log), CancellationToken::new());
    relay::start(&relay, &cancel);
    until_published(&relay, log).await;
    cancel.cancel();
}

async fn events(database: &Database) -> Vec<String> {
    let rows = database.owner.query(EVENTS, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn try_append(log: &EventLog) -> Result<Appended, AppendError> {
    log.append(append(envelope(), vec![deposit(Uuid::now_v7(), 0)], vec![])).await
}

#[track_caller]
fn is_refused(answer: &Result<Appended, AppendError>) {
    let refused = matches!(answer, Err(AppendError::Log(Error::BehindStream(_))));
    assert!(refused, "{answer:?}");
}

/// Commands are refused from the first look on, and taken again once the lost events are back:
/// exactly as they were.
#[tokio::test]
async fn lost_events_come_back_from_the_stream() {
    let (database, log) = fresh_log().await;
    let nats = Nats::new().await;
    relay::append(&log, 150, 10).await;
    let earlier = database.copy().await;
    // Lost: a client's command, a policy's with its cause, and events of a stream that goes on.
    let old = log.read(Position(149), 1).await.unwrap()[0].clone();
    let (client, policy, cause) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let wrote = append(remembered(client, 1), vec![deposit(Uuid::now_v7(), 0)], vec![]);
    log.append(wrote).await.unwrap();
    let digest = Sha256::digest(cause.as_bytes()).into();
    let reaction = |stream| {
        let causation_id = Some(cause);
        let envelope = Envelope { causation_id, remember: Some(digest), ..remembered(policy, 0) };
        append(envelope, vec![deposit(stream, 0), deposit(Uuid::now_v7(), 0)], vec![])
    };
    let reacted = log.append(reaction(Uuid::now_v7())).await.unwrap().outcome();
    log.append(append(envelope(), vec![deposit(old.stream_id, old.version)], vec![]))
        .await
        .unwrap();
    relay::append(&log, 1_300, 40).await;
    publish(&nats, &log).await;

    let mut restored = Restored { nats, lost: (database, log), earlier };
    let log = restored.earlier.open().await;
    let (relay, cancel) = (restored.nats.relay(&log), CancellationToken::new());
    relay::start(&relay, &cancel);
    relay.compared(std::time::Duration::from_mins(1)).await;
    is_refused(&try_append(&log).await);
    assert_eq!(log.head().await.unwrap(), Position(150), "nothing was written, and it is read");

    let recovered = restored.recover(&log).await.unwrap();
    let (before, now) = (Position(150), restored.lost.1.head().await.unwrap());
    assert_eq!(recovered, Recovered { before, now, left: 0 });
    assert_eq!(events(&restored.earlier).await, events(&restored.lost.0).await);
    until_published(&relay, &log).await;
    assert_eq!(log.suspended(), None);
    assert_eq!(try_append(&log).await.unwrap().outcome().position.0, now.0 + 1);
    until_published(&relay, &log).await;
    assert_eq!(restored.nats.difference(&log).await, None);
    assert_eq!(log.verify().await.unwrap().findings, Vec::<String>::new());

    // Nothing is done twice: the policy is answered, the client is told that the outcome is unknown.
    let again = log.append(reaction(Uuid::now_v7())).await.unwrap();
    assert!(matches!(again, Appended::Before(outcome) if outcome.position == reacted.position));
    let again = append(remembered(client, 1), vec![deposit(Uuid::now_v7(), 0)], vec![]);
    assert!(matches!(log.append(again).await, Err(AppendError::KeyReused)));

    // Asked again, there is nothing left to do.
    let recovered = restored.recover(&log).await.unwrap();
    assert_eq!(recovered.before, recovered.now);
    cancel.cancel();
}

/// NATS was away when the earlier state was taken into use, and history went on. Then it is too
/// late to recover; the operator decides for the log.
#[tokio::test]
async fn a_fork_is_refused_until_the_stream_is_discarded() {
    let mut restored = Restored::new(200, 70).await;
    let log = restored.earlier.open().await;
    relay::append(&log, 100, 10).await;

    let (relay, cancel) = (restored.nats.relay(&log), CancellationToken::new());
    relay::start(&relay, &cancel);
    assert!(until_halted(&relay).await.contains("message 270 of the stream is not event 270"));
    is_refused(&try_append(&log).await);
    let refused = restored.recover(&log).await;
    let agreed = Position(200);
    let (in_log, in_stream) = (100, 70);
    assert!(
        matches!(refused, Err(RecoverError::Forked { agreed: a, in_log: l, in_stream: s })
            if (a, l, s) == (agreed, in_log, in_stream)),
        "{refused:?}"
    );
    assert_eq!(restored.nats.difference(&restored.lost.1).await, None, "the stream is untouched");

    restored.nats.jetstream().delete_stream(&restored.nats.config.stream).await.unwrap();
    until_published(&relay, &log).await;
    assert_eq!(try_append(&log).await.unwrap().outcome().position, Position(301));
    until_published(&relay, &log).await;
    assert_eq!(restored.nats.difference(&log).await, None);
    cancel.cancel();
}

/// Messages that are no history of ours neither hide a lost end nor look like one.
#[tokio::test]
async fn foreign_messages_are_no_history() {
    let mut restored = Restored::new(20, 10).await;
    let subject = format!("{}.-.foreign", restored.nats.config.subject_prefix);
    for _ in 0..3 {
        restored.nats.client.publish(subject.clone(), "{}".into()).await.unwrap();
    }
    restored.nats.client.flush().await.unwrap();

    let (relay, cancel) = (restored.nats.relay(&restored.lost.1), CancellationToken::new());
    relay::start(&relay, &cancel);
    assert!(until_halted(&relay).await.contains("message 33 of the stream is not event 33"));
    try_append(&restored.lost.1).await.unwrap();
    cancel.cancel();

    let log = restored.earlier.open().await;
    let (relay, cancel) = (restored.nats.relay(&log), CancellationToken::new());
    relay::start(&relay, &cancel);
    assert!(until_halted(&relay).await.contains("the stream is at 30, ahead of the log at 20"));
    is_refused(&try_append(&log).await);
    let recovered = restored.recover(&log).await.unwrap();
    let (before, now) = (Position(20), Position(30));
    assert_eq!(recovered, Recovered { before, now, left: 3 });
    assert_eq!(events(&restored.earlier).await, events(&restored.lost.0).await[..30]);
    cancel.cancel();
}

/// What comes after a message that is missing hangs in the air.
#[tokio::test]
async fn a_hole_ends_what_can_be_recovered() {
    let (database, log) = fresh_log().await;
    let nats = Nats::new().await;
    let careless = jetstream::stream::Config {
        name: nats.config.stream.clone(),
        subjects: vec![format!("{}.>", nats.config.subject_prefix)],
        allow_atomic_publish: true,
        ..Default::default()
    };
    let stream = nats.jetstream().create_stream(careless).await.unwrap();
    relay::append(&log, 20, 10).await;
    let earlier = database.copy().await;
    for _ in 0..10 {
        relay::append(&log, 1, 10).await;
    }
    publish(&nats, &log).await;
    stream.delete_message(25).await.unwrap();
    let mut restored = Restored { nats, lost: (database, log), earlier };
    let log = restored.earlier.open().await;
    let recovered = restored.recover(&log).await.unwrap();
    assert_eq!(recovered, Recovered { before: Position(20), now: Position(24), left: 6 });
    assert_eq!(log.verify().await.unwrap().findings, Vec::<String>::new());
}

/// An end that does not follow the log's streams is not taken, however well it looks.
#[tokio::test]
async fn an_end_with_a_gap_is_not_recovered() {
    let ((_one, log), (stranger_s, stranger)) = (fresh_log().await, fresh_log().await);
    let nats = Nats::new().await;
    // An empty log agrees with every stream, but the first event here has version 2.
    let stream_id = Uuid::now_v7();
    let mut write = deposit(stream_id, 0);
    write.events.push(write.events[0].clone());
    log.append(append(envelope(), vec![write], vec![])).await.unwrap();
    publish(&nats, &log).await;
    let jetstream = nats.jetstream();
    let stream = jetstream.get_stream(&nats.config.stream).await.unwrap();
    let second = stream.get_raw_message(2).await.unwrap();
    jetstream.delete_stream(&nats.config.stream).await.unwrap();
    let plain = jetstream::stream::Config {
        name: nats.config.stream.clone(),
        subjects: vec![format!("{}.>", nats.config.subject_prefix)],
        ..Default::default()
    };
    jetstream.create_stream(plain).await.unwrap();
    let mut headers = async_nats::HeaderMap::new();
    for (name, values) in second.headers.iter() {
        if name.to_string().starts_with("ce-") {
            headers.insert(name.clone(), values[0].clone());
        }
    }
    headers.insert("ce-position", "1");
    let sent = jetstream.publish_with_headers(second.subject, headers, second.payload).await;
    sent.unwrap().await.unwrap();

    let mut owner = connect(&stranger_s.url).await;
    let refused = recover(&mut owner, &stranger, &jetstream, &nats.config).await;
    assert!(matches!(refused, Err(RecoverError::Gap(Position(1)))), "{refused:?}");
    assert_eq!(stranger_s.number("SELECT count(*) FROM log.events").await, 0);
}

/// PostgreSQL is restored under a process that runs: its next command meets the earlier state.
#[tokio::test]
async fn a_log_that_goes_back_takes_no_more_commands() {
    let (database, log) = fresh_log().await;
    relay::append(&log, 20, 10).await;
    let nats = Nats::new().await;
    publish(&nats, &log).await;
    let account = Uuid::now_v7();
    let act = async |log: &EventLog, command: Command| {
        let envelope = envelope();
        let done = log.execute(&envelope, |work| {
            let command = command.clone();
            async move { work.decide::<Account>(account, command).await }.boxed()
        });
        done.await.map(|done| done.outcome.position)
    };
    act(&log, Command::Deposit(vec![1])).await.unwrap();
    let earlier = database.copy().await;
    act(&log, Command::Deposit(vec![100])).await.unwrap();

    let name = |database: &Database| database.url.rsplit('/').next().unwrap().to_owned();
    let (now, then) = (name(&database), name(&earlier));
    let admin = connect(&std::env::var("KONTOR_TEST_DATABASE_URL").unwrap()).await;
    for database in [&now, &then] {
        admin.execute(TERMINATE, &[database]).await.unwrap();
    }
    admin.batch_execute(&format!("ALTER DATABASE {now} RENAME TO {now}_away")).await.unwrap();
    admin.batch_execute(&format!("ALTER DATABASE {then} RENAME TO {now}")).await.unwrap();
    is_refused(&try_append(&log).await);
    is_refused(&try_append(&log).await);
    assert_eq!(
        log.suspended().unwrap().split(':').next(),
        Some("the log ends at 21, but had reached 22")
    );

    // What was lost had not been published: the stream knows of nothing else, and life goes on.
    let (relay, cancel) = (nats.relay(&log), CancellationToken::new());
    relay::start(&relay, &cancel);
    until_published(&relay, &log).await;
    assert_eq!(log.suspended(), None);
    // What is in memory is of the lost history, though the version is the same again.
    let elsewhere = EventLog::open(&LogConfig::new(&database.url)).await.unwrap();
    act(&elsewhere, Command::Deposit(vec![5])).await.unwrap();
    let overdrawn = act(&log, Command::Withdraw(50)).await;
    assert!(
        matches!(
            overdrawn,
            Err(ExecuteError::Refused(WorkError::Refused(account::Error::Overdrawn(6))))
        ),
        "{overdrawn:?}"
    );
    assert_eq!(act(&log, Command::Withdraw(6)).await.unwrap(), Position(23));
    cancel.cancel();
}

/// The log has gone on from an earlier state, and further than the stream reaches, before a relay
/// that had published all looks again.
#[tokio::test]
async fn a_stream_is_not_continued_with_another_history() {
    let (database, log) = fresh_log().await;
    let nats = Nats::new().await;
    relay::append(&log, 20, 10).await;
    let (relay, cancel) = (nats.relay(&log), CancellationToken::new());
    relay::start(&relay, &cancel);
    until_published(&relay, &log).await;
    database.owner.batch_execute(FORK).await.unwrap();
    let reason = until_halted(&relay).await;
    assert!(reason.contains("message 20 of the stream is not event 20"), "{reason}");
    is_refused(&try_append(&log).await);
    let stream = nats.jetstream().get_stream(&nats.config.stream).await.unwrap();
    assert_eq!(stream.get_info().await.unwrap().state.messages, 20);
    cancel.cancel();
}
