//! A unit of work: what it reads still holds when it is written, and it is done once.

use std::sync::atomic::{AtomicU32, Ordering};

use domain::{Claim, CompanyId};
use event_log::{EventLog, ExecuteError, Executed, Position, Work, WorkError};
use futures::FutureExt;
use uuid::Uuid;

use crate::{
    account::{Account, Command, Error, envelope, remembered},
    server::fresh_log,
};

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

/// Moves money if the payer has it.
async fn transfer(
    log: &EventLog,
    from: Uuid,
    to: Uuid,
    amount: i64,
) -> Result<(), ExecuteError<Error>> {
    log.execute(&envelope(), |work| {
        async move {
            work.decide::<Account>(from, Command::Withdraw(amount)).await?;
            Ok(work.decide::<Account>(to, Command::Deposit(vec![amount])).await?)
        }
        .boxed()
    })
    .await
    .map(|_| ())
}

#[tokio::test]
async fn the_same_command_again_answers_its_first_outcome() {
    let (_database, log) = fresh_log().await;
    let (id, command) = (Uuid::now_v7(), Uuid::now_v7());
    let decisions = AtomicU32::new(0);
    let withdraw = async |says| {
        log.execute(&remembered(command, says), |work| {
            decisions.fetch_add(1, Ordering::Relaxed);
            async move {
                work.decide::<Account>(id, Command::Deposit(vec![5])).await?;
                Ok::<_, Error>(work.version::<Account>(id))
            }
            .boxed()
        })
        .await
    };
    let first = withdraw(1).await.unwrap();
    assert_eq!(first.value, Some(1));
    execute(&log, id, Command::Withdraw(5)).await.unwrap();
    let again = withdraw(1).await.unwrap();
    assert_eq!((again.outcome, again.value), (first.outcome, None));
    assert!(matches!(withdraw(2).await, Err(ExecuteError::KeyReused)));
    assert_eq!(decisions.load(Ordering::Relaxed), 1);
    assert_eq!(log.outcome(command).await.unwrap(), Some(first.outcome));
    assert_eq!(log.load::<Account>(id).await.unwrap().state.balance, 0);
}

/// A hundred at once on one stream: each decides on what the others left.
#[tokio::test(flavor = "multi_thread")]
async fn a_contested_stream_serves_everybody() {
    let (database, log) = fresh_log().await;
    let id = Uuid::now_v7();
    let all = (0..100).map(|_| {
        let log = log.clone();
        tokio::spawn(async move { execute(&log, id, Command::Deposit(vec![1])).await })
    });
    for done in futures::future::join_all(all).await {
        done.unwrap().unwrap();
    }
    let account = database.open().await.load::<Account>(id).await.unwrap();
    assert_eq!((account.version, account.state.balance), (100, 100));
}

#[tokio::test]
async fn a_decision_on_what_another_process_changed_is_made_anew() {
    let (database, ours) = fresh_log().await;
    let theirs = database.open().await;
    let id = Uuid::now_v7();
    execute(&ours, id, Command::Deposit(vec![10])).await.unwrap();
    execute(&theirs, id, Command::Withdraw(10)).await.unwrap();
    // Ours still remembers 10.
    let refused = execute(&ours, id, Command::Withdraw(10)).await;
    assert!(matches!(refused, Err(ExecuteError::Refused(Error::Overdrawn(0)))), "{refused:?}");
    execute(&theirs, id, Command::Deposit(vec![3])).await.unwrap();
    // Ours remembers 0, which would refuse.
    execute(&ours, id, Command::Withdraw(3)).await.unwrap();
}

/// Write skew: two decisions that read what the other writes cannot both stand.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_only_read_is_asserted() {
    let (_database, log) = fresh_log().await;
    for _ in 0..20 {
        let (one, two) = (Uuid::now_v7(), Uuid::now_v7());
        // Each may take 1 as long as both together have 1; only one can.
        let take = async |mine: Uuid, other: Uuid| {
            log.execute(&envelope(), |work| {
                async move {
                    let taken = work.load::<Account>(other).await?.balance
                        + work.load::<Account>(mine).await?.balance;
                    if taken > 0 {
                        return Err(Error::Overdrawn(taken));
                    }
                    Ok(work.decide::<Account>(mine, Command::Deposit(vec![1])).await?)
                }
                .boxed()
            })
            .await
        };
        let (a, b) = futures::join!(take(one, two), take(two, one));
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
    }
}

#[tokio::test]
async fn a_repeat_without_events_names_what_it_was_about() {
    let (_database, log) = fresh_log().await;
    let (id, holder) = (Uuid::now_v7(), CompanyId(Uuid::now_v7()));
    execute(&log, id, Command::Belong(holder)).await.unwrap();
    let again = execute(&log, id, Command::Belong(holder)).await.unwrap();
    assert_eq!(
        (again.outcome.stream_id, again.outcome.version, again.outcome.position),
        (id, 1, Position(1))
    );
    let events = log.read(Position::START, 10).await.unwrap();
    assert_eq!(events.len(), 1);
    // It answers where history ends, not where that of what it was about does.
    execute(&log, Uuid::now_v7(), Command::Deposit(vec![5])).await.unwrap();
    let again = execute(&log, id, Command::Belong(holder)).await.unwrap();
    assert_eq!((again.outcome.version, again.outcome.position), (1, Position(2)));
    assert_eq!(events[0].company_id, Some(holder.0));
}

/// Clients name ids; one of another kind is simply not found.
#[tokio::test]
async fn an_id_of_another_kind_does_not_exist() {
    let (_database, log) = fresh_log().await;
    let id = Uuid::now_v7();
    execute(&log, id, Command::Deposit(vec![1])).await.unwrap();
    assert_eq!(log.load::<Claim>(id).await.unwrap().version, 0);
    let seen = log
        .execute(&envelope(), |work| {
            async move {
                let claims = work.load_many::<Claim>([id, id]).await?;
                let accounts = work.load_many::<Account>(&[id]).await?;
                assert_eq!((claims, accounts), (vec![(id, 0)], vec![(id, 1)]));
                assert_eq!(work.get::<Claim>(id), Some(&Claim::Free));
                Err::<(), _>(Error::Overdrawn(work.get::<Account>(id).unwrap().balance))
            }
            .boxed()
        })
        .await;
    assert!(matches!(seen, Err(ExecuteError::Refused(Error::Overdrawn(1)))), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_lose_no_money() {
    let (database, log) = fresh_log().await;
    let other = database.open().await;
    let accounts: Vec<Uuid> = (0..4).map(|_| Uuid::now_v7()).collect();
    for &id in &accounts {
        execute(&log, id, Command::Deposit(vec![100])).await.unwrap();
    }
    let all = (0..60_usize).map(|index| {
        let log = if index % 2 == 0 { log.clone() } else { other.clone() };
        let (from, to) = (accounts[index % 4], accounts[(index / 4 + index + 1) % 4]);
        tokio::spawn(
            async move { if from == to { Ok(()) } else { transfer(&log, from, to, 7).await } },
        )
    });
    for done in futures::future::join_all(all).await {
        // Losing every race is allowed, losing money is not.
        assert!(matches!(
            done.unwrap(),
            Ok(()) | Err(ExecuteError::Conflict | ExecuteError::Refused(_))
        ));
    }
    let fresh = database.open().await;
    let mut total = 0;
    for &id in &accounts {
        let balance = fresh.load::<Account>(id).await.unwrap().state.balance;
        assert!(balance >= 0);
        total += balance;
    }
    assert_eq!(total, 400);
    assert_eq!(fresh.verify().await.unwrap().findings, Vec::<String>::new());
}

/// Deposits 1 and 100; what comes between is taken back.
async fn deposit_101(
    work: &mut Work,
    kept: Uuid,
    taken_back: Uuid,
) -> Result<i64, WorkError<Error>> {
    work.decide::<Account>(kept, Command::Deposit(vec![1])).await?;
    work.mark();
    work.decide::<Account>(taken_back, Command::Deposit(vec![5])).await?;
    work.decide::<Account>(kept, Command::Deposit(vec![10, 10])).await?;
    work.roll_back();
    work.decide::<Account>(kept, Command::Deposit(vec![100])).await?;
    Ok(work.get::<Account>(kept).unwrap().balance)
}

#[tokio::test]
async fn what_is_taken_back_is_not_written() {
    let (_database, log) = fresh_log().await;
    let [kept, taken_back] = [Uuid::now_v7(), Uuid::now_v7()];
    let rehearsed = log.rehearse(|work| deposit_101(work, kept, taken_back).boxed()).await.unwrap();
    assert_eq!((rehearsed, log.head().await.unwrap()), (101, Position(0)));
    log.execute(&envelope(), |work| deposit_101(work, kept, taken_back).boxed()).await.unwrap();
    assert_eq!(log.head().await.unwrap(), Position(2));
    assert_eq!(log.load::<Account>(kept).await.unwrap().state.balance, 101);
    assert_eq!(log.load::<Account>(taken_back).await.unwrap().version, 0);
}
