//! Snapshots shorten a load and never change what it says.

use std::time::Duration;

use cqrs_es::{Aggregate, CqrsFramework, EventStore};
use domain::OfCompany;
use event_log::{EventLog, LogConfig, WorkError};
use futures::FutureExt;
use uuid::Uuid;

use crate::{
    account::{Account, Command, envelope},
    server::{Database, fresh_log},
};

/// A log that takes a snapshot after every fourth event.
async fn every_fourth(database: &Database) -> EventLog {
    let config = LogConfig { snapshot_every: 4, ..LogConfig::new(&database.url) };
    EventLog::open(&config).await.unwrap()
}

async fn deposit(log: &EventLog, id: Uuid, amounts: Vec<i64>) {
    let command = Command::Deposit(amounts);
    log.execute(&envelope(), |work| {
        let command = command.clone();
        async move { work.decide::<Account>(id, command).await.map_err(|_: WorkError<_>| "no") }
            .boxed()
    })
    .await
    .unwrap();
}

/// Waits until the stored snapshot is of this version.
async fn stored(database: &Database, id: Uuid, version: i64) {
    let sql =
        format!("SELECT coalesce(max(version), 0) FROM log.snapshots WHERE stream_id = '{id}'");
    let reached = async { while database.number(&sql).await < version {} };
    tokio::time::timeout(Duration::from_secs(20), reached).await.expect("the snapshot is stored");
    assert_eq!(database.number(&sql).await, version);
}

async fn cold(database: &Database, id: Uuid) -> (u64, i64) {
    let loaded = every_fourth(database).await.load::<Account>(id).await.unwrap();
    (loaded.version, loaded.state.balance)
}

/// The trap: fifteen deposits of one, a snapshot after every fourth, and the snapshots of cqrs-es
/// said 21.
#[tokio::test]
async fn a_state_from_a_snapshot_is_that_of_all_events() {
    let database = Database::new().await;
    let log = every_fourth(&database).await;
    let id = Uuid::now_v7();
    let framework = CqrsFramework::new(log.store::<Account>(), vec![], ());
    for count in 1..=15 {
        framework.execute(&id.to_string(), Command::Deposit(vec![1])).await.unwrap();
        assert_eq!(cold(&database, id).await, (count, i64::try_from(count).unwrap()));
    }
    stored(&database, id, 12).await;
    assert_eq!(cold(&database, id).await, (15, 15));
}

#[tokio::test]
async fn units_of_work_and_cold_loads_take_snapshots_too() {
    let database = Database::new().await;
    let (worked, met) = (Uuid::now_v7(), Uuid::now_v7());
    let log = every_fourth(&database).await;
    deposit(&log, worked, vec![1; 3]).await;
    deposit(&log, worked, vec![1; 3]).await;
    stored(&database, worked, 6).await;
    // A process that takes none leaves a long stream behind.
    deposit(&database.open().await, met, vec![1; 100]).await;
    assert_eq!(cold(&database, met).await, (100, 100));
    stored(&database, met, 100).await;
}

/// That a snapshot is used at all shows when it lies.
#[tokio::test]
async fn what_cannot_be_believed_is_passed_over_and_replaced() {
    let database = Database::new().await;
    let id = Uuid::now_v7();
    deposit(&every_fourth(&database).await, id, vec![1; 4]).await;
    stored(&database, id, 4).await;
    let change = async |what: &str| {
        let sql = format!("UPDATE log.snapshots SET {what} WHERE stream_id = '{id}'");
        assert_eq!(database.owner.execute(&sql, &[]).await.unwrap(), 1);
    };
    let rules = Account::SNAPSHOT.cast_signed();

    change(r#"state = '{"balance":1000,"holder":null}'"#).await;
    assert_eq!(cold(&database, id).await, (4, 1000), "it is used");
    for unusable in [
        r#"state = '{"balance":"a lot"}'"#.to_owned(),
        "state = 'no JSON'".to_owned(),
        format!(r#"rules = {}, state = '{{"balance":1000,"holder":null}}'"#, rules ^ 1),
    ] {
        change(&unusable).await;
        assert_eq!(cold(&database, id).await, (4, 4), "{unusable}");
        let sql = format!(
            "SELECT count(*) FROM log.snapshots WHERE rules = {rules}
                 AND state = '{{\"balance\":4,\"holder\":null}}'"
        );
        let replaced = async { while database.number(&sql).await < 1 {} };
        tokio::time::timeout(Duration::from_secs(20), replaced).await.expect("it is replaced");
    }
}

/// The same id as two kinds of thing has two snapshots.
#[tokio::test]
async fn a_snapshot_is_of_one_kind() {
    let database = Database::new().await;
    let id = Uuid::now_v7();
    deposit(&every_fourth(&database).await, id, vec![1; 4]).await;
    stored(&database, id, 4).await;
    let company = every_fourth(&database).await.load::<domain::Company>(id).await.unwrap();
    assert_eq!((company.version, company.state.company()), (0, None));
}

/// Whatever was deposited in whatever portions, warm, cold and folded states are one.
#[tokio::test]
async fn random_histories_add_up() {
    let (database, _) = fresh_log().await;
    let log = every_fourth(&database).await;
    let seed: u64 = rand::random();
    for round in 0..20_u64 {
        let id = Uuid::now_v7();
        let mut random = seed.wrapping_add(round);
        for _ in 0..random % 9 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let amounts = (0..random >> 61).map(|n| i64::try_from(n).unwrap() + 1).collect();
            deposit(&log, id, amounts).await;
        }
        let mut folded = Account::default();
        let events = log.store::<Account>().load_events(&id.to_string()).await.unwrap();
        for event in &events {
            folded.apply(event.payload.clone());
        }
        let warm = log.load::<Account>(id).await.unwrap();
        assert_eq!((&warm.state, warm.version), (&folded, events.len() as u64), "seed {seed}");
        let expected = (warm.version, folded.balance);
        assert_eq!(cold(&database, id).await, expected, "seed {seed}");
    }
}
