//! One stream that everybody needs: decisions do not wait for one another's commits, and are made
//! in the order in which they were asked for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::CompanyId;
use event_log::{EventLog, ExecuteError, Executed, Position, Work};
use futures::{FutureExt, future::join_all};
use uuid::Uuid;

use crate::{
    account::{Account, Command, Error, append, deposit, envelope, remembered},
    server::{Database, fresh_log},
};

const CLIENTS: u64 = 64;

async fn execute(
    log: &EventLog,
    id: Uuid,
    command: Command,
) -> Result<Executed<()>, ExecuteError<Error>> {
    log.execute(&envelope(), |work| {
        let command = command.clone();
        async move { Ok(work.decide::<Account>(id, command).await?) }.boxed()
    })
    .await
}

/// Holds the head of the log, so that nothing becomes durable until it is let go.
async fn hold(database: &Database) -> tokio_postgres::Client {
    let client = crate::server::connect(&database.url).await;
    client.batch_execute("BEGIN; SELECT FROM log.head FOR UPDATE").await.unwrap();
    client
}

/// A commit takes long: all decide meanwhile, and a few commits make them all durable.
#[tokio::test(flavor = "multi_thread")]
async fn many_decisions_on_one_stream_share_a_commit() {
    let (database, log) = fresh_log().await;
    let id = Uuid::now_v7();
    execute(&log, id, Command::Deposit(vec![1])).await.unwrap();
    let held = hold(&database).await;
    let all = (0..100).map(|_| {
        let log = log.clone();
        tokio::spawn(async move { execute(&log, id, Command::Deposit(vec![1])).await })
    });
    let all: Vec<_> = all.collect();
    let waits = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while database.number(waits).await == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(log.load::<Account>(id).await.unwrap().version, 1, "readers see what is durable");
    assert!(all.iter().all(|client| !client.is_finished()), "none is durable");
    held.batch_execute("COMMIT").await.unwrap();
    for client in all {
        client.await.unwrap().unwrap();
    }
    assert_eq!(log.load::<Account>(id).await.unwrap().state.balance, 101);
    let times = "SELECT count(DISTINCT recorded_at) FROM log.events";
    let commits = database.number(times).await;
    assert!(commits < 20, "101 deposits took {commits} commits");
}

/// What is refused, or changes nothing, because of a state that is not durable is answered when
/// that is.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_rests_on_what_is_not_durable_waits_for_it() {
    let (database, log) = fresh_log().await;
    let (id, holder) = (Uuid::now_v7(), CompanyId(Uuid::now_v7()));
    execute(&log, id, Command::Deposit(vec![10])).await.unwrap();
    let held = hold(&database).await;
    let spawn = |command| {
        let log = log.clone();
        tokio::spawn(async move { execute(&log, id, command).await })
    };
    let waits = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let withdrawn = spawn(Command::Withdraw(10));
    while database.number(waits).await == 0 {
        tokio::task::yield_now().await;
    }
    let belongs = spawn(Command::Belong(holder));
    let refused = spawn(Command::Withdraw(10));
    let repeated = spawn(Command::Belong(holder));
    // As long as they might take to be wrong.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!refused.is_finished(), "refused since it was withdrawn, which is not durable");
    assert!(!repeated.is_finished(), "done already, but not durable");
    held.batch_execute("COMMIT").await.unwrap();
    withdrawn.await.unwrap().unwrap();
    belongs.await.unwrap().unwrap();
    let refused = refused.await.unwrap();
    assert!(matches!(refused, Err(ExecuteError::Refused(Error::Overdrawn(0)))), "{refused:?}");
    assert_eq!(repeated.await.unwrap().unwrap().outcome.version, 3);
}

/// Another process writes as many events as the append on which others have built already.
#[tokio::test(flavor = "multi_thread")]
async fn what_built_on_an_append_that_was_not_written_is_decided_anew() {
    let (database, log) = fresh_log().await;
    let id = Uuid::now_v7();
    execute(&log, id, Command::Deposit(vec![10])).await.unwrap();
    let other = hold(&database).await;
    let spawn = |command| {
        let log = log.clone();
        tokio::spawn(async move { execute(&log, id, command).await })
    };
    let waits = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let deposited = spawn(Command::Deposit(vec![10]));
    while database.number(waits).await == 0 {
        tokio::task::yield_now().await;
    }
    // Has seen 20.
    let withdrawn = spawn(Command::Withdraw(15));
    tokio::time::sleep(Duration::from_millis(100)).await;
    // Withdraws all, at the version at which the deposit would have stood.
    let theirs = format!(
        r#"UPDATE log.head SET position = position + 1;
        INSERT INTO log.events (position, event_id, stream_type, stream_id, version, event_type,
            schema_version, actor, command_id, correlation_id, recorded_at, payload)
        SELECT 2, gen_random_uuid(), stream_type, stream_id, 2, 'account.withdrawn', 2, actor,
            command_id, correlation_id, recorded_at, '{{"type":"withdrawn","amount":10}}'
        FROM log.events WHERE stream_id = '{id}'; COMMIT"#
    );
    other.batch_execute(&theirs).await.unwrap();
    // Whichever comes first now.
    deposited.await.unwrap().unwrap();
    let withdrawn = withdrawn.await.unwrap();
    assert!(matches!(withdrawn, Err(ExecuteError::Refused(Error::Overdrawn(_)))), "{withdrawn:?}");
    assert_eq!(database.open().await.load::<Account>(id).await.unwrap().state.balance, 10);
    assert_eq!(log.head().await.unwrap(), Position(3));
}

async fn decide_slowly(work: &mut Work, id: Uuid) -> Result<(), Error> {
    work.load::<Account>(id).await?;
    // Is in PostgreSQL, if at all.
    work.load::<Account>(Uuid::now_v7()).await?;
    Ok(work.decide::<Account>(id, Command::Deposit(vec![1])).await?)
}

/// Clients that ask again as soon as they are answered, and whose decisions take a while: half of
/// them know what they will change, the others find out.
#[tokio::test(flavor = "multi_thread")]
async fn who_comes_first_is_served_first() {
    let (_database, log) = fresh_log().await;
    let id = Uuid::now_v7();
    let served = Arc::new(AtomicU64::new(0));
    let clients = (0..CLIENTS).map(|number| {
        let (log, served) = (log.clone(), served.clone());
        tokio::spawn(async move {
            let known = if number % 2 == 0 { &[id][..] } else { &[] };
            let mut waits = Vec::new();
            for command in 0..24 {
                let before = served.load(Ordering::Relaxed);
                let done = log
                    .execute_in_turn(&envelope(), known, |work| decide_slowly(work, id).boxed())
                    .await
                    .unwrap();
                served.fetch_max(done.outcome.version, Ordering::Relaxed);
                // At first there is no line.
                if command >= 4 {
                    waits.push(done.outcome.version - before);
                }
            }
            waits
        })
    });
    let waits = join_all(clients.collect::<Vec<_>>()).await;
    let mut waits: Vec<u64> = waits.into_iter().flat_map(Result::unwrap).collect();
    waits.sort_unstable();
    let (most, p99) = (waits[waits.len() - 1], waits[waits.len() * 99 / 100]);
    println!("served before one of {CLIENTS}: p99 {p99}, most {most}");
    assert!(p99 <= CLIENTS, "{p99} were served before one of {CLIENTS}");
    assert!(most <= 2 * CLIENTS, "{most} were served before one of {CLIENTS}");
}

/// Of which the second would be refused, for what the first has done.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_command_twice_at_once_is_answered_the_same() {
    let (_database, log) = fresh_log().await;
    let id = Uuid::now_v7();
    execute(&log, id, Command::Deposit(vec![10])).await.unwrap();
    for _ in 0..20 {
        let command = remembered(Uuid::now_v7(), 1);
        let withdraw = || {
            let (log, command) = (log.clone(), command.clone());
            tokio::spawn(async move {
                log.execute(&command, |work| {
                    async move {
                        Ok::<_, Error>(work.decide::<Account>(id, Command::Withdraw(10)).await?)
                    }
                    .boxed()
                })
                .await
            })
        };
        let (one, two) = (withdraw(), withdraw());
        let (one, two) = (one.await.unwrap().unwrap(), two.await.unwrap().unwrap());
        assert_eq!(one.outcome, two.outcome);
        execute(&log, id, Command::Deposit(vec![10])).await.unwrap();
    }
}

/// Two processes on one stream: each loses now and then, neither gives up.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_a_hot_stream() {
    let (database, one) = fresh_log().await;
    let two = database.open().await;
    let id = Uuid::now_v7();
    let clients = (0..32).map(|number| {
        let log = if number % 2 == 0 { one.clone() } else { two.clone() };
        tokio::spawn(async move {
            let mut lost = 0;
            for _ in 0..20 {
                while let Err(error) = execute(&log, id, Command::Deposit(vec![1])).await {
                    assert!(matches!(error, ExecuteError::Conflict), "{error:?}");
                    lost += 1;
                }
            }
            lost
        })
    });
    let lost: u32 =
        join_all(clients.collect::<Vec<_>>()).await.into_iter().map(Result::unwrap).sum();
    let account = database.open().await.load::<Account>(id).await.unwrap();
    assert_eq!((account.version, account.state.balance), (640, 640));
    assert!(lost < 32, "{lost} of 640 were given up");
    let direct = one.append(append(envelope(), vec![deposit(id, 640)], vec![])).await;
    direct.unwrap();
}
