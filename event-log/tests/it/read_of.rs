//! Reading the events of some types of aggregates.

use event_log::Position;

use crate::{
    server::{Database, fresh_log},
    tail::{keep, until},
};

/// Most are of one type; every thousandth and those near the end are of another.
const FILL: &str = "
    INSERT INTO log.events
    SELECT n, gen_random_uuid(),
        CASE WHEN n % 1000 = 0 OR n > 24990 THEN 'account' ELSE 'other' END, md5('s' || n)::uuid, 1,
        'account.deposited', 1, NULL, 'test', gen_random_uuid(), gen_random_uuid(), NULL, now(), '{}'
    FROM generate_series(1, 25000) AS n;
    UPDATE log.head SET position = 25000";
/// Every tenth is of the type.
const MORE: &str = "
    INSERT INTO log.events
    SELECT n, gen_random_uuid(), CASE WHEN n % 10 = 0 THEN 'account' ELSE 'other' END,
        md5('s' || n)::uuid, 1, 'account.deposited', 1, NULL, 'test', gen_random_uuid(),
        gen_random_uuid(), NULL, now(), '{}'
    FROM generate_series(25001, 25100) AS n;
    UPDATE log.head SET position = 25100";

#[tokio::test]
async fn finds_all_of_a_type_and_gets_to_the_end() {
    let (database, log) = fresh_log().await;
    database.owner.batch_execute(FILL).await.unwrap();
    let expected: Vec<u64> = (1..=25_000).filter(|n| n % 1_000 == 0 || *n > 24_990).collect();
    for (limit, to) in [(1, None), (7, None), (1_000, None), (7, Some(12_345)), (7, Some(12_000))] {
        let (mut found, mut at) = (Vec::new(), Position::START);
        loop {
            let page = log.read_of(&["account"], at, limit, to.map(Position)).await.unwrap();
            let Some(last) = page.last() else { break };
            assert!(page.len() <= limit && page.is_sorted_by_key(|event| event.position));
            assert!(page[0].position > at);
            at = last.position;
            let accounts = page.iter().filter(|event| event.stream_type == "account");
            found.extend(accounts.map(|event| event.position.0));
        }
        let end = to.unwrap_or(25_000);
        assert_eq!(at, Position(end), "at most {limit} to {to:?}");
        let expected: Vec<u64> = expected.iter().copied().filter(|n| *n <= end).collect();
        assert_eq!(found, expected, "at most {limit} to {to:?}");
    }
}

#[tokio::test]
async fn a_range_without_these_types_is_its_last_event() {
    let (database, log) = fresh_log().await;
    assert_eq!(log.read_of(&["account"], Position::START, 10, None).await.unwrap(), []);
    database.owner.batch_execute(FILL).await.unwrap();
    let positions = async |types: &[&str], after, to: Option<u64>| -> Vec<u64> {
        let page = log.read_of(types, Position(after), 10, to.map(Position)).await.unwrap();
        page.iter().map(|event| event.position.0).collect()
    };
    for types in [&[][..], &["none"], &["none", "neither"]] {
        assert_eq!(positions(types, 0, None).await, [10_000], "{types:?}");
        assert_eq!(positions(types, 20_000, None).await, [25_000], "{types:?}");
        assert_eq!(positions(types, 0, Some(77)).await, [77], "{types:?}");
        assert_eq!(positions(types, 0, Some(70_000)).await, [10_000], "{types:?}");
    }
    // The end of the log, and of what was asked for.
    for (after, to) in [(25_000, None), (30_000, None), (77, Some(77)), (78, Some(77))] {
        let found = positions(&["account", "other"], after, to).await;
        assert!(found.is_empty(), "{found:?} after {after} to {to:?}");
    }
    assert!(positions(&["account"], u64::MAX, None).await.is_empty());
}

#[tokio::test]
async fn a_follower_of_a_type_misses_nothing_between_table_and_memory() {
    let database = Database::new().await;
    database.owner.batch_execute(FILL).await.unwrap();
    // Its tail begins at the present end.
    let log = database.open().await;
    let kept = keep(&log);
    database.owner.batch_execute(MORE).await.unwrap();
    until(&log, Position(25_100)).await;
    let (mut found, mut at) = (Vec::new(), Position::START);
    loop {
        let page = log.follow_of(&["account"], at, 7).await.unwrap();
        let Some(last) = page.last() else { break };
        at = last.position;
        let accounts = page.iter().filter(|event| event.stream_type == "account");
        found.extend(accounts.map(|event| event.position.0));
    }
    let expected = (1..=25_100).filter(|n| match n {
        ..=25_000 => n % 1_000 == 0 || *n > 24_990,
        _ => n % 10 == 0,
    });
    assert_eq!((at, found), (Position(25_100), expected.collect()));
    kept.cancel();
}
