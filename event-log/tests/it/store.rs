//! The log as a `cqrs_es::EventStore`, and the traps of cqrs-es 0.5 that it must not fall into.

use std::collections::HashMap;

use cqrs_es::{AggregateContext, AggregateError, CqrsFramework, EventStore};
use event_log::{NewEvent, Position};
use uuid::Uuid;

use crate::{
    account::{Account, Command, Error, Event, append, deposit, envelope},
    server::fresh_log,
};

/// The trap: `EventSink::write` applies an event, and a store that applies it again doubles the
/// state it keeps. Fifteen deposits of one made a balance of 21 in the store of cqrs-es.
#[tokio::test]
async fn an_event_is_applied_once() {
    let (database, log) = fresh_log().await;
    let id = Uuid::now_v7();
    let framework = CqrsFramework::new(log.store::<Account>(), vec![], ());
    for _ in 0..15 {
        framework.execute(&id.to_string(), Command::Deposit(vec![1])).await.unwrap();
    }
    let warm = log.load::<Account>(id).await.unwrap();
    let cold = database.open().await.load::<Account>(id).await.unwrap();
    assert_eq!((warm.version, warm.state.balance), (15, 15));
    assert_eq!((cold.version, cold.state.balance), (15, 15));
}

/// The trap: the in-memory store of cqrs-es never notices that somebody else was faster.
#[tokio::test]
async fn of_two_who_decided_on_one_state_one_conflicts() {
    let (_database, log) = fresh_log().await;
    let (store, id) = (log.store::<Account>(), Uuid::now_v7().to_string());
    let (one, two) =
        (store.load_aggregate(&id).await.unwrap(), store.load_aggregate(&id).await.unwrap());
    let deposited = || vec![Event::Deposited { amount: 1 }];
    store.commit(deposited(), one, HashMap::new()).await.unwrap();
    let refused = store.commit(deposited(), two, HashMap::new()).await;
    assert!(matches!(refused, Err(AggregateError::AggregateConflict)), "{refused:?}");

    // The next one sees the truth again.
    let mut three = store.load_aggregate(&id).await.unwrap();
    assert_eq!(three.aggregate().balance, 0, "the context of `one` held a state without events");
}

/// The trap: `persist` of cqrs-es cannot say where an event stands.
#[tokio::test]
async fn a_commit_says_where_its_events_stand() {
    let (_database, log) = fresh_log().await;
    log.append(append(envelope(), vec![deposit(Uuid::now_v7(), 0)], vec![])).await.unwrap();
    let (store, id) = (log.store::<Account>(), Uuid::now_v7());
    let context = store.load_aggregate(&id.to_string()).await.unwrap();
    let (command, correlation, causation) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let metadata = HashMap::from([
        ("command_id".to_owned(), command.to_string()),
        ("correlation_id".to_owned(), correlation.to_string()),
        ("causation_id".to_owned(), causation.to_string()),
        ("actor".to_owned(), "policy:test".to_owned()),
    ]);
    let deposited = vec![Event::Deposited { amount: 1 }, Event::Deposited { amount: 2 }];
    let envelopes = store.commit(deposited, context, metadata).await.unwrap();

    let events = log.read(Position(1), 10).await.unwrap();
    assert_eq!(events.len(), 2);
    for (event, envelope) in events.iter().zip(&envelopes) {
        assert_eq!(envelope.aggregate_id, id.to_string());
        assert_eq!(envelope.sequence as u64, event.version);
        assert_eq!(envelope.metadata["position"], event.position.to_string());
        assert_eq!(envelope.metadata["event_id"], event.event_id.to_string());
        assert_eq!(event.actor, "policy:test");
        assert_eq!(
            (event.command_id, event.correlation_id, event.causation_id),
            (command, correlation, Some(causation))
        );
    }
    let loaded = store.load_events(&id.to_string()).await.unwrap();
    assert_eq!(loaded.len(), 2);
    assert_eq!(loaded[1].payload, Event::Deposited { amount: 2 });
}

/// The trap: a reader that meets what it cannot read ends as if it had read all.
#[tokio::test]
async fn what_cannot_be_read_is_an_error_and_not_the_end() {
    let (database, log) = fresh_log().await;
    let (newer, broken) = (Uuid::now_v7(), Uuid::now_v7());
    let mut write = deposit(newer, 0);
    write.events[0].schema_version = 2;
    log.append(append(envelope(), vec![write], vec![])).await.unwrap();
    let mut write = deposit(broken, 0);
    write.events[0].payload = r#"{"type":"melted"}"#.to_owned();
    log.append(append(envelope(), vec![deposit(broken, 0)], vec![])).await.unwrap();
    write.expected = 1;
    log.append(append(envelope(), vec![write], vec![])).await.unwrap();

    for (log, stream) in [(log, newer), (database.open().await, broken)] {
        let loaded = log.load::<Account>(stream).await;
        assert!(
            matches!(loaded, Err(event_log::Error::Unreadable { stream_id, .. }) if stream_id == stream),
            "{loaded:?}"
        );
        let events = log.store::<Account>().load_events(&stream.to_string()).await;
        assert!(events.is_err() || stream == newer, "{events:?}");
    }
}

/// An old event is read as one of today, by whatever reads aggregates, and stays as it was stored.
#[tokio::test]
async fn an_older_version_is_carried_forward() {
    let (database, log) = fresh_log().await;
    let id = Uuid::now_v7();
    let mut old = deposit(id, 0);
    old.events[0].payload = r#"{"type":"deposited","amount":10}"#.to_owned();
    let stored = r#"{"type":"withdrawn","sum":3}"#;
    old.events.push(NewEvent {
        event_type: "account.withdrawn".into(),
        schema_version: 1,
        payload: stored.to_owned(),
    });
    log.append(append(envelope(), vec![old], vec![])).await.unwrap();
    let framework = CqrsFramework::new(log.store::<Account>(), vec![], ());
    framework.execute(&id.to_string(), Command::Withdraw(5)).await.unwrap();

    let loaded = database.open().await.load::<Account>(id).await.unwrap();
    assert_eq!((loaded.version, loaded.state.balance), (3, 2));
    let events = log.store::<Account>().load_events(&id.to_string()).await.unwrap();
    assert_eq!(events[1].payload, Event::Withdrawn { amount: 3 });
    let recorded = log.read(Position(1), 2).await.unwrap();
    assert_eq!((recorded[0].schema_version, recorded[0].payload.as_str()), (1, stored));
    assert_eq!(recorded[1].schema_version, 2);
}

#[tokio::test]
async fn a_refusal_writes_nothing() {
    let (database, log) = fresh_log().await;
    let framework = CqrsFramework::new(log.store::<Account>(), vec![], ());
    let id = Uuid::now_v7().to_string();
    let refused = framework.execute(&id, Command::Withdraw(1)).await;
    assert!(matches!(refused, Err(AggregateError::UserError(Error::Overdrawn(0)))), "{refused:?}");
    assert!(framework.execute("not a uuid", Command::Withdraw(1)).await.is_err());
    assert_eq!(database.number("SELECT count(*) FROM log.events").await, 0);
}
