//! The log is asked by index, also when it was empty at the first question: a plan made for an
//! empty table is kept while the table grows.

use std::time::Duration;

use event_log::Position;
use futures::FutureExt;
use uuid::Uuid;

use crate::{
    account::{Account, Command, envelope, remembered},
    server::fresh_log,
};

const ASKED: i64 = 60;

#[tokio::test]
async fn no_question_reads_the_whole_log() {
    let (database, log) = fresh_log().await;
    // The migrations themselves may have read all of nothing, and said nothing of it yet.
    database.owner.batch_execute("SELECT pg_stat_force_next_flush()").await.unwrap();
    let whole = "SELECT sum(seq_scan)::bigint FROM pg_stat_user_tables
        WHERE schemaname = 'log' AND relname IN ('events', 'commands', 'snapshots')";
    let before = database.number(whole).await;
    for number in 0..ASKED {
        let id = Uuid::now_v7();
        let envelope = if number % 2 == 0 { envelope() } else { remembered(Uuid::now_v7(), 1) };
        let deposit = log.execute(&envelope, |work| {
            async move { work.decide::<Account>(id, Command::Deposit(vec![1])).await }.boxed()
        });
        deposit.await.unwrap();
        log.read(log.head().await.unwrap(), 10).await.unwrap();
        log.read_of(&["account"], Position::START, 10, None).await.unwrap();
        log.read_stream(id, 0, 10).await.unwrap();
        log.load_many_at::<Account>(&[id], Position::START).await.unwrap();
        log.fill_directory().await.unwrap();
    }
    log.shutdown().await;
    // Whoever leaves says what it has done.
    drop(log);
    let found = "SELECT idx_scan FROM pg_stat_user_tables
        WHERE schemaname = 'log' AND relname = 'events'";
    let measured = async { while database.number(found).await < 3 * ASKED {} };
    tokio::time::timeout(Duration::from_secs(20), measured).await.expect("the figures come");
    assert_eq!(database.number(whole).await, before);
}
