//! Connections that break under load, and servers that stay away.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use event_log::{AppendError, Appended, Error, EventLog, LogConfig};
use kontor_tests::{
    torture,
    wire::{Break, Wire},
};
use rand::seq::IndexedRandom;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::{
    account::{append, deposit, envelope, remembered},
    server::{Database, connect, fresh_log},
};

const TERMINATE_WRITER: &str = "\
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'kontor log writer'";

/// Clients that write one command after the other, each to a stream of its own, and repeat what
/// they get no answer to under the same command id.
struct Clients {
    over: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<(Uuid, u64)>>,
}

impl Clients {
    fn start(log: &EventLog) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let client = |_| tokio::spawn(Self::write(log.clone(), over.clone()));
        Self { tasks: (0..48).map(client).collect(), over }
    }

    /// Says which stream it wrote, and up to which version.
    async fn write(log: EventLog, over: Arc<AtomicBool>) -> (Uuid, u64) {
        let stream = Uuid::now_v7();
        let mut version = 0;
        while !over.load(Ordering::Relaxed) {
            let command = Uuid::now_v7();
            loop {
                let write = deposit(stream, version);
                // Half of them remembered, so that both kinds of batches break.
                let envelope = if version % 2 == 0 { remembered(command, 1) } else { envelope() };
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
    }

    /// Every acknowledged command is in the log once, and every event was acknowledged.
    async fn check(self, log: &EventLog) {
        log.committed().changed().await.unwrap();
        self.over.store(true, Ordering::Relaxed);
        let mut acknowledged = 0;
        for task in self.tasks {
            let (stream, version) = task.await.unwrap();
            acknowledged += version;
            let events = log.read_stream(stream, 0, 100_000).await.unwrap();
            assert_eq!(events.len() as u64, version, "stream {stream}");
        }
        let report = log.verify().await.unwrap();
        assert_eq!(report.findings, Vec::<String>::new());
        assert_eq!(report.events, acknowledged);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_neither_loses_nor_doubles_a_command() {
    let (database, log) = fresh_log().await;
    let clients = Clients::start(&log);
    let killer = connect(&database.url).await;
    let mut committed = log.committed();
    let mut killed = 0;
    while killed < 25 {
        // Only a writer that is at work is worth killing.
        committed.changed().await.unwrap();
        killed += killer.query_one(TERMINATE_WRITER, &[]).await.unwrap().get::<_, i64>(0);
    }
    clients.check(&log).await;
}

/// The same wherever in a commit the connection is cut.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_cut_is_neither_lost_nor_doubled() {
    let database = Database::new().await;
    let wire = Wire::to(&database.url).await;
    let log = EventLog::open(&LogConfig::new(&wire.url)).await.unwrap();
    let clients = Clients::start(&log);
    let mut chance = torture::chance();
    for _ in 0..torture::rounds(30, 1_000) {
        wire.arm(*Break::CUTS.choose(&mut chance).unwrap());
        wire.until_broken().await;
    }
    clients.check(&log).await;
}

/// A process that is stopped in the middle of its transaction, and that nobody misses: the others
/// take the head from it, and what it sends once it is let go comes to nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_is_stopped_within_its_transaction_stops_nobody_else() {
    let database = Database::new().await;
    let wire = Wire::to(&database.url).await;
    let stopped = EventLog::open(&LogConfig::new(&wire.url)).await.unwrap();
    let other = database.open().await;
    let stream = Uuid::now_v7();
    wire.arm(Break::Rows);
    let held = tokio::spawn({
        let (log, late) = (stopped.clone(), append(envelope(), vec![deposit(stream, 0)], vec![]));
        async move { log.append(late).await }
    });
    wire.until_broken().await;
    for version in 0..3 {
        let done = other.append(append(envelope(), vec![deposit(stream, version)], vec![])).await;
        assert_eq!(done.unwrap().outcome().version, version + 1);
    }
    wire.let_go();
    let late = held.await.unwrap();
    assert!(matches!(late, Err(AppendError::Conflict { .. })), "{late:?}");
    stopped.append(append(envelope(), vec![deposit(stream, 3)], vec![])).await.unwrap();
    let report = other.verify().await.unwrap();
    assert_eq!((report.events, report.findings), (4, Vec::new()));
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
        wire.arm(Break::Answer);
        let done = log.append(append(envelope, vec![deposit(stream, version)], vec![])).await;
        assert!(wire.has_broken());
        let Appended::Now { outcome, event_ids } = done.unwrap() else {
            panic!("it was written now")
        };
        assert_eq!((outcome.version, outcome.position.0), (version + 1, version + 1));
        let events = log.read_stream(stream, version, 10).await.unwrap();
        assert_eq!(events.iter().map(|event| event.event_id).collect::<Vec<_>>(), event_ids);
        assert_eq!(log.committed().borrow().0, version + 1);
    }
    // Nothing but an outcome to remember.
    wire.arm(Break::Answer);
    let silent = Uuid::now_v7();
    let done = log.append(append(remembered(silent, 1), vec![], vec![(stream, 3)])).await.unwrap();
    assert!(wire.has_broken());
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
    let epoch = database.number("SELECT epoch FROM log.head").await;
    assert!(epoch > 0, "what is still on its way names a past one");
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
