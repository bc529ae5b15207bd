//! Connections that break under load, and servers that stay away.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use event_log::{AppendError, Appended, Error, EventLog, LogConfig};
use uuid::Uuid;

use crate::{
    account::{append, deposit, envelope, remembered},
    cut::Wire,
    server::{Database, connect, fresh_log},
};

const TERMINATE_WRITER: &str = "\
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'kontor log writer'";

/// Every acknowledged command is in the log once, every event in the log was acknowledged: a
/// client repeats what it got no answer to under the same command id.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_neither_loses_nor_doubles_a_command() {
    let (database, log) = fresh_log().await;
    let over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..48)
        .map(|_| {
            let (log, over) = (log.clone(), over.clone());
            tokio::spawn(async move {
                let stream = Uuid::now_v7();
                let mut version = 0;
                while !over.load(Ordering::Relaxed) {
                    let command = Uuid::now_v7();
                    loop {
                        let write = deposit(stream, version);
                        // Half of them remembered, so that both kinds of batches break.
                        let envelope =
                            if version % 2 == 0 { remembered(command, 1) } else { envelope() };
                        match log.append(append(envelope, vec![write], vec![])).await {
                            Ok(done) => {
                                assert_eq!(done.outcome().version, version + 1);
                                break;
                            }
                            Err(AppendError::Log(Error::Unavailable)) if version % 2 == 0 => {}
                            Err(error) => panic!("at {version}: {error:?}"),
                        }
                    }
                    version += 1;
                }
                (stream, version)
            })
        })
        .collect();
    let killer = connect(&database.url).await;
    let mut committed = log.committed();
    let mut killed = 0;
    while killed < 25 {
        // Only a writer that is at work is worth killing.
        committed.changed().await.unwrap();
        killed += killer.query_one(TERMINATE_WRITER, &[]).await.unwrap().get::<_, i64>(0);
    }
    committed.changed().await.unwrap();
    over.store(true, Ordering::Relaxed);
    let mut acknowledged = 0;
    for client in clients {
        let (stream, version) = client.await.unwrap();
        acknowledged += version;
        let events = log.read_stream(stream, 0, 10_000).await.unwrap();
        assert_eq!(events.len() as u64, version, "stream {stream}");
    }
    let report = log.verify().await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    assert_eq!(report.events, acknowledged);
}

/// The commit is durable, its answer is lost: the truth is found out, and nothing written twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_answered_all_the_same() {
    let database = Database::new().await;
    let wire = Wire::to(&database.url).await;
    let log = EventLog::open(&LogConfig::new(&wire.url)).await.unwrap();
    let stream = Uuid::now_v7();
    let command = Uuid::now_v7();
    for (version, envelope) in (0..).zip([envelope(), envelope(), remembered(command, 1)]) {
        wire.arm();
        let done = log.append(append(envelope, vec![deposit(stream, version)], vec![])).await;
        assert!(wire.has_cut());
        let Appended::Now { outcome, event_ids } = done.unwrap() else {
            panic!("it was written now")
        };
        assert_eq!((outcome.version, outcome.position.0), (version + 1, version + 1));
        let events = log.read_stream(stream, version, 10).await.unwrap();
        assert_eq!(events.iter().map(|event| event.event_id).collect::<Vec<_>>(), event_ids);
        assert_eq!(log.committed().borrow().0, version + 1);
    }
    // Nothing but an outcome to remember.
    wire.arm();
    let silent = Uuid::now_v7();
    let done = log.append(append(remembered(silent, 1), vec![], vec![(stream, 3)])).await.unwrap();
    assert!(wire.has_cut());
    assert_eq!(log.outcome(silent).await.unwrap(), Some(done.outcome()));
    assert_eq!(database.number("SELECT count(*) FROM log.events").await, 3);
}

/// What a connection sent before it was lost is refused when PostgreSQL comes to it too late:
/// here another transaction holds the head until the writer has given up and started afresh.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_of_a_lost_connection_comes_to_nothing() {
    let (database, log) = fresh_log().await;
    let stream = Uuid::now_v7();
    log.append(append(envelope(), vec![deposit(stream, 0)], vec![])).await.unwrap();
    let holder = connect(&database.url).await;
    holder.batch_execute("BEGIN; SELECT FROM log.head FOR UPDATE").await.unwrap();
    let held = {
        let log = log.clone();
        tokio::spawn(async move {
            log.append(append(envelope(), vec![deposit(stream, 1)], vec![])).await
        })
    };
    let killer = connect(&database.url).await;
    let waiting = "\
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'kontor log writer'
        AND wait_event_type = 'Lock'";
    let wait = async || {
        while killer.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::task::yield_now().await;
        }
    };
    wait().await;
    killer.execute(TERMINATE_WRITER, &[]).await.unwrap();
    // The new connection waits for its fence.
    wait().await;
    holder.batch_execute("ROLLBACK").await.unwrap();
    let done = held.await.unwrap().unwrap();
    assert!(matches!(done, Appended::Now { outcome, .. } if outcome.version == 2), "{done:?}");
    assert_eq!(database.number("SELECT count(*) FROM log.events").await, 2);
    let late = database.owner.batch_execute("SELECT log.advance(2, 0, 1, '{}', '{}')").await;
    assert_eq!(late.unwrap_err().code().unwrap().code(), "KN001", "of a past epoch");
    assert_eq!(log.verify().await.unwrap().findings, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stays_away_is_said_to_be_unavailable() {
    let (database, log) = fresh_log().await;
    log.append(append(envelope(), vec![deposit(Uuid::now_v7(), 0)], vec![])).await.unwrap();
    let name: String =
        database.owner.query_one("SELECT current_database()", &[]).await.unwrap().get(0);
    let server = std::env::var("KONTOR_TEST_DATABASE_URL").unwrap();
    let admin = connect(&server).await;
    let allow = async |allowed: bool| {
        let sql = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}");
        admin.batch_execute(&sql).await.unwrap();
    };
    allow(false).await;
    admin
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
            &[&name],
        )
        .await
        .unwrap();
    let asked = Instant::now();
    let refused = log.append(append(envelope(), vec![deposit(Uuid::now_v7(), 0)], vec![])).await;
    assert!(matches!(refused, Err(AppendError::Log(Error::Unavailable))), "{refused:?}");
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
    allow(true).await;
    log.append(append(envelope(), vec![deposit(Uuid::now_v7(), 0)], vec![])).await.unwrap();
    assert_eq!(log.head().await.unwrap().0, 2);
}
