//! What an append promises: all or nothing, and a conflict fails one command only.

use event_log::{Append, AppendError, Appended, Position};
use uuid::Uuid;

use crate::{
    account::{append, deposit, envelope, remembered},
    server::fresh_log,
};

#[tokio::test]
async fn an_append_takes_the_next_positions_and_versions() {
    let (_database, log) = fresh_log().await;
    let (one, two) = (Uuid::now_v7(), Uuid::now_v7());
    let mut twice = deposit(one, 0);
    twice.events.push(twice.events[0].clone());
    let first = log.append(append(envelope(), vec![twice, deposit(two, 0)], vec![])).await.unwrap();
    let Appended::Now { outcome, event_ids } = first else { panic!("{first:?}") };
    assert_eq!((outcome.stream_id, outcome.version, outcome.position), (one, 2, Position(3)));

    let events = log.read(Position::START, 10).await.unwrap();
    let seen: Vec<_> = events.iter().map(|e| (e.position.0, e.stream_id, e.version)).collect();
    assert_eq!(seen, [(1, one, 1), (2, one, 2), (3, two, 1)]);
    assert_eq!(events.iter().map(|e| e.event_id).collect::<Vec<_>>(), event_ids);
    assert_eq!(events[0].payload, r#"{"type":"deposited","amount":1}"#);
    assert_eq!(log.head().await.unwrap(), Position(3));
    assert_eq!(*log.committed().borrow(), Position(3));
    assert_eq!(log.read_stream(one, 1, 10).await.unwrap(), &events[1..2]);
}

/// Every wrong expectation, with the writer knowing the stream and not knowing it.
#[tokio::test]
async fn a_wrong_expectation_is_a_conflict() {
    let (database, log) = fresh_log().await;
    let stream = Uuid::now_v7();
    log.append(append(envelope(), vec![deposit(stream, 0)], vec![])).await.unwrap();
    log.append(append(envelope(), vec![deposit(stream, 1)], vec![])).await.unwrap();
    let unknowing = database.open().await;
    for log in [log, unknowing] {
        for expected in [0, 1, 3, 4] {
            let write = append(envelope(), vec![deposit(stream, expected)], vec![]);
            let read =
                append(envelope(), vec![deposit(Uuid::now_v7(), 0)], vec![(stream, expected)]);
            for refused in [write, read] {
                let refused = log.append(refused).await;
                assert!(
                    matches!(refused, Err(AppendError::Conflict { stream_id }) if stream_id == stream),
                    "at {expected}: {refused:?}"
                );
            }
        }
        let absent = append(envelope(), vec![deposit(Uuid::now_v7(), 7)], vec![]);
        let refused = log.append(absent).await;
        assert!(matches!(refused, Err(AppendError::Conflict { .. })), "{refused:?}");
    }
    assert_eq!(database.number("SELECT count(*) FROM log.events").await, 2);
    assert_eq!(database.number("SELECT position FROM log.head").await, 2);
}

#[tokio::test]
async fn streams_of_one_append_are_written_together_or_not_at_all() {
    let (database, log) = fresh_log().await;
    let (one, two) = (Uuid::now_v7(), Uuid::now_v7());
    log.append(append(envelope(), vec![deposit(two, 0)], vec![])).await.unwrap();
    let refused =
        log.append(append(envelope(), vec![deposit(one, 0), deposit(two, 0)], vec![])).await;
    assert!(matches!(refused, Err(AppendError::Conflict { stream_id }) if stream_id == two));
    assert_eq!(database.number("SELECT count(*) FROM log.events").await, 1);
    log.append(append(envelope(), vec![deposit(one, 0), deposit(two, 1)], vec![])).await.unwrap();
    assert_eq!(database.number("SELECT count(*) FROM log.events").await, 3);
}

/// They meet in one batch, because all are queued before the first is answered.
#[tokio::test]
async fn a_conflict_fails_only_its_command_in_the_batch() {
    let (database, log) = fresh_log().await;
    let contested = Uuid::now_v7();
    log.append(append(envelope(), vec![deposit(contested, 0)], vec![])).await.unwrap();
    // A log that knows nothing must find out what is stale.
    let log = {
        drop(log);
        database.open().await
    };
    let appends = (0..200).map(|index| {
        let write =
            if index % 10 == 0 { deposit(contested, 0) } else { deposit(Uuid::now_v7(), 0) };
        log.append(append(envelope(), vec![write], vec![]))
    });
    let results = futures::future::join_all(appends).await;
    for (index, result) in results.iter().enumerate() {
        assert_eq!(result.is_err(), index % 10 == 0, "{index}: {result:?}");
    }
    assert_eq!(database.number("SELECT position FROM log.head").await, 181);
    assert_eq!(log.verify().await.unwrap().findings, Vec::<String>::new());
}

/// The second of a pair gets the outcome of the first, so the first must have one: here it
/// rests on a fact that only PostgreSQL knows to be wrong.
#[tokio::test]
async fn a_duplicate_of_a_failed_command_does_not_succeed() {
    let (database, log) = fresh_log().await;
    let (fact, stream, command) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    log.append(append(envelope(), vec![deposit(fact, 0)], vec![])).await.unwrap();
    let log = {
        drop(log);
        database.open().await
    };
    let wrong = append(remembered(command, 1), vec![deposit(stream, 0)], vec![(fact, 0)]);
    let same = append(remembered(command, 1), vec![deposit(stream, 0)], vec![(fact, 0)]);
    let (other, right) = (deposit(stream, 0), deposit(fact, 1));
    let (first, second, third, fourth) = futures::join!(
        log.append(wrong),
        log.append(same),
        log.append(append(envelope(), vec![other], vec![])),
        log.append(append(envelope(), vec![right], vec![])),
    );
    assert!(matches!(first, Err(AppendError::Conflict { .. })), "{first:?}");
    assert!(matches!(second, Err(AppendError::Conflict { .. })), "{second:?}");
    assert!(matches!(third, Ok(Appended::Now { .. })), "{third:?}");
    assert!(matches!(fourth, Ok(Appended::Now { .. })), "{fourth:?}");
    assert_eq!(log.outcome(command).await.unwrap(), None);
}

#[tokio::test]
async fn a_command_is_executed_once_however_often_it_arrives() {
    let (database, log) = fresh_log().await;
    let (stream, command) = (Uuid::now_v7(), Uuid::now_v7());
    let appends = (0..50)
        .map(|_| log.append(append(remembered(command, 1), vec![deposit(stream, 0)], vec![])));
    let results = futures::future::join_all(appends).await;
    let outcomes: Vec<_> = results.into_iter().map(|result| result.unwrap()).collect();
    let executed = outcomes.iter().filter(|done| matches!(done, Appended::Now { .. })).count();
    assert_eq!(executed, 1);
    assert!(outcomes.iter().all(|done| done.outcome() == outcomes[0].outcome()));

    // Later, with a stale expectation, from a process that was not there.
    let later = database.open().await;
    let again = append(remembered(command, 1), vec![deposit(stream, 0)], vec![]);
    assert_eq!(later.append(again).await.unwrap(), Appended::Before(outcomes[0].outcome()));
    let other = append(remembered(command, 2), vec![deposit(stream, 1)], vec![]);
    assert!(matches!(later.append(other).await, Err(AppendError::KeyReused)));
    assert_eq!(database.number("SELECT count(*) FROM log.events").await, 1);
    assert_eq!(database.number("SELECT count(*) FROM log.commands").await, 1);
}

#[tokio::test]
async fn a_command_without_events_is_remembered_too() {
    let (database, log) = fresh_log().await;
    let stream = Uuid::now_v7();
    log.append(append(envelope(), vec![deposit(stream, 0)], vec![])).await.unwrap();
    let command = Uuid::now_v7();
    let silent = || Append {
        envelope: remembered(command, 1),
        writes: vec![],
        reads: vec![(stream, 1)],
        answer: (stream, 1),
    };
    let first = log.append(silent()).await.unwrap();
    assert_eq!((first.outcome().version, first.outcome().position), (1, Position(1)));
    log.append(append(envelope(), vec![deposit(stream, 1)], vec![])).await.unwrap();
    assert_eq!(log.append(silent()).await.unwrap(), Appended::Before(first.outcome()));
    assert_eq!(database.number("SELECT count(*) FROM log.events").await, 2);
}

#[tokio::test]
async fn what_postgresql_refuses_fails_alone() {
    let (database, log) = fresh_log().await;
    let mut nul = deposit(Uuid::now_v7(), 0);
    nul.events[0].payload = "\"a\0b\"".to_owned();
    let twice = Uuid::now_v7();
    let (bad, repeated, good) = futures::join!(
        log.append(append(envelope(), vec![nul], vec![])),
        log.append(append(envelope(), vec![deposit(twice, 0), deposit(twice, 0)], vec![])),
        log.append(append(envelope(), vec![deposit(Uuid::now_v7(), 0)], vec![])),
    );
    assert!(matches!(bad, Err(AppendError::Log(event_log::Error::Database(_)))), "{bad:?}");
    assert!(repeated.is_err(), "{repeated:?}");
    assert!(good.is_ok(), "{good:?}");
    assert_eq!(database.number("SELECT position FROM log.head").await, 1);
}

#[tokio::test]
async fn too_much_at_once_is_refused() {
    let (database, log) = fresh_log().await;
    let mut many = deposit(Uuid::now_v7(), 0);
    many.events = vec![many.events[0].clone(); Append::MAX_EVENTS + 1];
    let mut large = deposit(Uuid::now_v7(), 0);
    large.events[0].payload = "1".repeat(Append::MAX_PAYLOAD + 1);
    for write in [many, large] {
        let refused = log.append(append(envelope(), vec![write], vec![])).await;
        assert!(matches!(refused, Err(AppendError::TooLarge)), "{refused:?}");
    }
    let mut most = deposit(Uuid::now_v7(), 0);
    most.events = vec![most.events[0].clone(); Append::MAX_EVENTS];
    most.events[0].payload = format!("\"{}\"", "1".repeat(Append::MAX_PAYLOAD - 2));
    log.append(append(envelope(), vec![most], vec![])).await.unwrap();
    assert_eq!(database.number("SELECT count(*) FROM log.events").await, 250_000);
}
