//! Many clients and more than one writer on one log.

use std::time::Duration;

use event_log::{AppendError, EventLog, Position};
use uuid::Uuid;

use crate::{
    account::{append, deposit, envelope},
    server::{Database, fresh_log},
};

/// Each client writes to a stream of its own, one event after the other.
async fn write_streams(log: &EventLog, clients: usize, events: u64) {
    let all = (0..clients).map(|_| {
        let log = log.clone();
        tokio::spawn(async move {
            let stream = Uuid::now_v7();
            let mut last = Position::START;
            for version in 0..events {
                let done = log.append(append(envelope(), vec![deposit(stream, version)], vec![]));
                let outcome = done.await.unwrap().outcome();
                assert!(outcome.position > last, "positions go up in the order of answers");
                last = outcome.position;
            }
        })
    });
    for done in futures::future::join_all(all).await {
        done.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_have_no_gap_under_many_clients() {
    let (_database, log) = fresh_log().await;
    write_streams(&log, 64, 20).await;
    let report = log.verify().await.unwrap();
    assert_eq!((report.events, report.streams, report.head), (1_280, 64, Position(1_280)));
    assert_eq!(report.findings, Vec::<String>::new());
}

/// A reader of one page after the other never finds a hole, whoever writes.
#[tokio::test(flavor = "multi_thread")]
async fn two_writers_share_one_log() {
    let database = Database::new().await;
    let (one, two) = (database.open().await, database.open().await);
    let reader = database.open().await;
    let follow = tokio::spawn(async move {
        let mut seen = Position::START;
        while seen < Position(1_280) {
            for event in reader.read(seen, 100).await.unwrap() {
                assert_eq!(
                    event.position.0,
                    seen.0 + 1,
                    "a reader that has seen p has seen all below"
                );
                seen = event.position;
            }
            tokio::task::yield_now().await;
        }
    });
    futures::join!(write_streams(&one, 32, 20), write_streams(&two, 32, 20));
    tokio::time::timeout(Duration::from_mins(1), follow).await.unwrap().unwrap();
    let report = one.verify().await.unwrap();
    assert_eq!((report.events, report.head), (1_280, Position(1_280)));
    assert_eq!(report.findings, Vec::<String>::new());
}

const WRITERS: &str = "
    SELECT array_agg(pid ORDER BY pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'kontor log writer'";

/// To be overtaken is everyday life: it costs a writer its attempt, not its connection.
#[tokio::test(flavor = "multi_thread")]
async fn racing_writers_keep_their_connections() {
    let database = Database::new().await;
    let (one, two) = (database.open().await, database.open().await);
    let connections = async || {
        database.owner.query_one(WRITERS, &[]).await.unwrap().get::<_, Option<Vec<i32>>>(0)
    };
    futures::join!(write_streams(&one, 1, 1), write_streams(&two, 1, 1));
    let before = connections().await;
    assert_eq!(before.as_ref().map(Vec::len), Some(2));
    futures::join!(write_streams(&one, 8, 50), write_streams(&two, 8, 50));
    assert_eq!(connections().await, before);
}

/// Both believe a stream to be at the version that the other has left.
#[tokio::test]
async fn a_writer_learns_from_another_writers_events() {
    let database = Database::new().await;
    let (one, two) = (database.open().await, database.open().await);
    let stream = Uuid::now_v7();
    for version in 0..20 {
        let (writer, other) = if version % 2 == 0 { (&one, &two) } else { (&two, &one) };
        writer.append(append(envelope(), vec![deposit(stream, version)], vec![])).await.unwrap();
        let stale = other.append(append(envelope(), vec![deposit(stream, version)], vec![])).await;
        assert!(matches!(stale, Err(AppendError::Conflict { .. })), "{stale:?}");
    }
    assert_eq!(database.number("SELECT position FROM log.head").await, 20);
}

#[tokio::test]
async fn migrating_again_and_at_the_same_time_changes_nothing() {
    let database = Database::new().await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(crate::server::connect(&database.url).await);
    }
    let all = clients.iter_mut().map(EventLog::migrate);
    for migrated in futures::future::join_all(all).await {
        migrated.unwrap();
    }
    let ran = database.number("SELECT count(*) FROM log.migrations").await;
    assert_eq!(usize::try_from(ran).unwrap(), event_log::migrations::MIGRATIONS.len());
}

/// No superuser is needed: one who may make roles owns the log, and runs it.
#[tokio::test]
async fn an_owner_without_superpowers_migrates_and_runs() {
    let database = Database::new().await;
    let owner = format!("owner_{}", Uuid::now_v7().simple());
    let name: String =
        database.owner.query_one("SELECT current_database()", &[]).await.unwrap().get(0);
    database
        .owner
        .batch_execute(&format!(
            "CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD 'test';
             GRANT CREATE ON DATABASE {name} TO {owner}; DROP SCHEMA log CASCADE"
        ))
        .await
        .unwrap();
    let mut config: tokio_postgres::Config = database.url.parse().unwrap();
    config.user(&owner).password("test");
    let (mut client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    EventLog::migrate(&mut client).await.unwrap();
    client.batch_execute("SET ROLE kontor_runtime").await.unwrap();
    let advance = "SELECT log.advance(0, 0, 1, '{}', '{}')";
    client.batch_execute(advance).await.unwrap();
    assert_eq!(database.number("SELECT position FROM log.head").await, 1);
}

#[tokio::test]
async fn shutting_down_answers_what_was_taken() {
    let (database, log) = fresh_log().await;
    let appends: Vec<_> = (0..500)
        .map(|_| {
            let log = log.clone();
            tokio::spawn(async move {
                log.append(append(envelope(), vec![deposit(Uuid::now_v7(), 0)], vec![])).await
            })
        })
        .collect();
    let mut committed = log.committed();
    committed.changed().await.unwrap();
    log.shutdown().await;
    let mut written = 0;
    for append in appends {
        match append.await.unwrap() {
            Ok(_) => written += 1,
            Err(AppendError::Log(event_log::Error::Unavailable)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(written > 0);
    assert_eq!(database.number("SELECT count(*) FROM log.events").await, written);
    let late = log.append(append(envelope(), vec![deposit(Uuid::now_v7(), 0)], vec![])).await;
    assert!(matches!(late, Err(AppendError::Log(event_log::Error::Unavailable))), "{late:?}");
    assert_eq!(log.head().await.unwrap().0, u64::try_from(written).unwrap());
}
