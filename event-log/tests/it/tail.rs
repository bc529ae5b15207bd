//! The tail that every follower of a process reads from.

use std::time::Duration;

use event_log::{EventLog, Position};
use tokio_util::sync::CancellationToken;

use crate::{relay, server::fresh_log};

/// As after a restore: the last three events are others.
const FORK: &str = "
    BEGIN;
    ALTER TABLE log.events DISABLE TRIGGER append_only;
    UPDATE log.events SET event_id = gen_random_uuid() WHERE position > 7;
    ALTER TABLE log.events ENABLE ALWAYS TRIGGER append_only;
    COMMIT";

pub(crate) fn keep(log: &EventLog) -> CancellationToken {
    let (log, cancel) = (log.clone(), CancellationToken::new());
    let cancelled = cancel.clone();
    tokio::spawn(async move { cancelled.run_until_cancelled(log.keep_tail()).await });
    cancel
}

pub(crate) async fn until(log: &EventLog, position: Position) {
    let mut reached = log.reached();
    let wait = reached.wait_for(|reached| *reached == position);
    tokio::time::timeout(Duration::from_secs(20), wait)
        .await
        .expect("the tail gets there")
        .unwrap();
}

/// What is followed is what the log says, from memory and from before.
async fn check(log: &EventLog) {
    let all = log.read(Position::START, 10_000).await.unwrap();
    let head = all.last().unwrap().position;
    for after in 0..=head.0 {
        let followed = log.follow(Position(after), 100).await.unwrap();
        let expected = all.iter().skip(usize::try_from(after).unwrap()).take(100);
        assert!(followed.iter().map(|event| &**event).eq(expected), "after {after}");
    }
}

#[tokio::test]
async fn what_any_process_writes_is_followed() {
    let (database, log) = fresh_log().await;
    relay::append(&log, 5, 10).await;
    let other = database.open().await;
    let (_kept, _kept_too) = (keep(&log), keep(&log));
    keep(&other);
    for _ in 0..3 {
        for writer in [&log, &other] {
            relay::append(writer, 130, 10).await;
            let head = log.head().await.unwrap();
            until(&log, head).await;
            until(&other, head).await;
            check(&log).await;
            check(&other).await;
        }
    }
}

/// Whoever keeps it may end: another goes on.
#[tokio::test]
async fn another_keeps_it_when_one_ends() {
    let (_database, log) = fresh_log().await;
    let (first, _second) = (keep(&log), keep(&log));
    relay::append(&log, 3, 10).await;
    until(&log, Position(3)).await;
    first.cancel();
    relay::append(&log, 3, 10).await;
    until(&log, Position(6)).await;
}

/// Events that the log has lost are not answered from memory.
#[tokio::test]
async fn it_begins_again_when_the_log_has_lost_its_end() {
    let (database, log) = fresh_log().await;
    keep(&log);
    relay::append(&log, 10, 10).await;
    until(&log, Position(10)).await;
    check(&log).await;
    let lost = log.follow(Position(9), 1).await.unwrap();
    database.owner.batch_execute(FORK).await.unwrap();
    let other = async {
        while log.follow(Position(9), 1).await.unwrap() == lost {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), other).await.expect("it is noticed");
    check(&log).await;
    relay::append(&log, 2, 10).await;
    until(&log, Position(12)).await;
    check(&log).await;
}
