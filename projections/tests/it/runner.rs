//! Exactly-once effect, and live tables that equal rebuilt ones.

use std::{collections::BTreeMap, time::Duration};

use domain::CompanyId;
use event_log::Position;
use projections::{Views, changed::changed, rebuild, views};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rust_decimal::Decimal;
use tokio_util::sync::CancellationToken;

use crate::{
    stored::Event,
    trade::{Account, Instance, trade},
};

/// How many runners are killed at most.
const MOST_KILLED: u32 = 40;

pub(crate) fn names() -> Vec<&'static str> {
    views::ALL.iter().map(|projection| projection.name).collect()
}

pub(crate) async fn caught_up(instance: &Instance, views: &Views) {
    let head = instance.log.head().await.unwrap();
    views.wait(&names(), head).await.unwrap();
}

async fn accounts(views: &Views) -> BTreeMap<CompanyId, Account> {
    let filter = views::billing::account_balances::Filter {
        today: "2026-03-20".parse().unwrap(),
        company: None,
        reference: None,
    };
    let client = views.client().await.unwrap();
    let grosze = |money: domain::Money| -> i64 {
        (money.amount() * Decimal::ONE_HUNDRED).try_into().unwrap()
    };
    views::billing::account_balances::list(&client, &filter, None, 100)
        .await
        .unwrap()
        .into_iter()
        .map(|balance| {
            let account = Account {
                invoiced: grosze(balance.invoiced),
                credited: grosze(balance.credited),
                paid: grosze(balance.paid),
                open: grosze(balance.open),
                unallocated: grosze(balance.unallocated),
            };
            // The invariant of every account, on every day.
            assert_eq!(grosze(balance.balance), account.open - account.unallocated);
            (balance.company, account)
        })
        .collect()
}

#[tokio::test]
async fn balances_are_the_sum_of_history_however_many_run() {
    let instance = Instance::new().await;
    let (one, other) = (instance.views().await, instance.views().await);
    let cancel = CancellationToken::new();
    one.follow(&cancel);
    other.follow(&cancel);
    let expected = trade(&instance, 7, 300).await;
    caught_up(&instance, &one).await;
    assert_eq!(accounts(&one).await, expected);
    cancel.cancel();
}

/// While trade goes on, runners are dropped wherever they are, often within a batch. On a loaded
/// machine trade takes long and each start of a runner too: after the last one that is killed,
/// another runs to the end.
#[tokio::test]
async fn runners_that_are_killed_anywhere_apply_nothing_twice_and_miss_nothing() {
    let instance = Instance::new().await;
    let mut random = StdRng::seed_from_u64(13);
    let mut trading = std::pin::pin!(trade(&instance, 13, 200));
    // One pool for all, since connecting is what costs most.
    let pool = service_kit::postgres::pool(&instance.url, "test", 12).unwrap();
    let mut killed = 0;
    let expected = loop {
        let views = Views::open(pool.clone(), instance.log.clone()).await.unwrap();
        let cancel = CancellationToken::new();
        views.follow(&cancel);
        let life = if killed < MOST_KILLED {
            Duration::from_millis(random.random_range(1..60))
        } else {
            Duration::MAX
        };
        let ended = tokio::time::timeout(life, &mut trading).await;
        cancel.cancel();
        match ended {
            Ok(expected) => break expected,
            Err(_) => killed += 1,
        }
    };
    assert!(killed >= 5, "only {killed} were killed");
    let views = instance.views().await;
    let cancel = CancellationToken::new();
    views.follow(&cancel);
    caught_up(&instance, &views).await;
    assert_eq!(accounts(&views).await, expected);
    for projection in views::ALL {
        assert_eq!(rebuild::compare(&views, projection).await.unwrap(), [], "{}", projection.name);
    }
    cancel.cancel();
}

#[tokio::test]
async fn live_equals_rebuilt_and_a_rebuild_changes_nothing() {
    let instance = Instance::new().await;
    let views = instance.views().await;
    let cancel = CancellationToken::new();
    views.follow(&cancel);
    let expected = trade(&instance, 8, 120).await;
    caught_up(&instance, &views).await;
    for projection in views::ALL {
        assert_eq!(rebuild::compare(&views, projection).await.unwrap(), [], "{}", projection.name);
        let head = instance.log.head().await.unwrap();
        assert_eq!(rebuild::rebuild(&views, projection).await.unwrap(), head);
    }
    assert_eq!(accounts(&views).await, expected);
    cancel.cancel();
}

#[tokio::test]
async fn a_read_model_says_which_event_changed_it_last() {
    let instance = Instance::new().await;
    let views = instance.views().await;
    let cancel = CancellationToken::new();
    views.follow(&cancel);
    trade(&instance, 11, 20).await;
    caught_up(&instance, &views).await;
    let of = [views::billing::account_balances::PROJECTION, views::inventory::stock::PROJECTION];
    let client = views.client().await.unwrap();
    let [balances, stock] = changed(&client, of).await.unwrap();
    let head = instance.log.head().await.unwrap();
    assert!(Position::START < balances && balances <= head, "{balances} of {head}");
    assert_eq!(stock, Position::START, "the warehouse has said nothing");

    let last = instance.log.read(Position(balances.0 - 1), 1).await.unwrap().remove(0);
    assert!(of[0].reads.contains(&last.stream_type.as_str()), "{last:?}");
    Event::of("picture", "framed").append(&instance).await;
    caught_up(&instance, &views).await;
    assert_eq!(changed(&client, of).await.unwrap(), [balances, stock]);
    rebuild::rebuild(&views, of[0]).await.unwrap();
    assert_eq!(changed(&client, of).await.unwrap(), [Position(head.0 + 1), stock]);
    cancel.cancel();
}

/// The comparison is no formality: it sees a single row that is not what history says.
#[tokio::test]
async fn a_row_that_was_tampered_with_is_found() {
    let instance = Instance::new().await;
    let views = instance.views().await;
    let cancel = CancellationToken::new();
    views.follow(&cancel);
    trade(&instance, 9, 30).await;
    caught_up(&instance, &views).await;
    let tamper = "UPDATE view.account_balances SET paid = paid + 0.01 WHERE company_id = (
        SELECT company_id FROM view.account_balances LIMIT 1)";
    assert_eq!(instance.client.execute(tamper, &[]).await.unwrap(), 1);
    let found =
        rebuild::compare(&views, views::billing::account_balances::PROJECTION).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].only_live, found[0].only_rebuilt), (1, 1));
    cancel.cancel();
}

/// A rebuild that is killed leaves its tables; the next one sweeps them away.
#[tokio::test]
async fn a_rebuild_that_was_killed_is_no_obstacle() {
    let instance = Instance::new().await;
    let views = instance.views().await;
    let cancel = CancellationToken::new();
    views.follow(&cancel);
    let expected = trade(&instance, 12, 60).await;
    caught_up(&instance, &views).await;
    let balances = views::billing::account_balances::PROJECTION;
    // Holding the live checkpoint lets the rebuild get as far as its swap, and no further.
    let lock = "BEGIN; SELECT 1 FROM view.checkpoints WHERE projection = 'account_balances'
        FOR UPDATE";
    instance.client.batch_execute(lock).await.unwrap();
    let killed = tokio::spawn({
        let views = views.clone();
        async move { rebuild::rebuild(&views, balances).await }
    });
    let exists = "SELECT to_regclass('rebuild_account_balances.account_balances') IS NOT NULL";
    while !instance.client.query_one(exists, &[]).await.unwrap().get::<_, bool>(0) {
        tokio::task::yield_now().await;
    }
    killed.abort();
    assert!(killed.await.unwrap_err().is_cancelled());
    instance.client.batch_execute("COMMIT").await.unwrap();

    assert_eq!(schemas_of_rebuilds(&instance).await, 1, "it was killed under way");
    rebuild::rebuild(&views, balances).await.unwrap();
    assert_eq!(schemas_of_rebuilds(&instance).await, 0);
    caught_up(&instance, &views).await;
    assert_eq!(accounts(&views).await, expected);
    cancel.cancel();
}

pub(crate) async fn schemas_of_rebuilds(instance: &Instance) -> i64 {
    let count = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'rebuild%'";
    instance.client.query_one(count, &[]).await.unwrap().get(0)
}

/// A crash of PostgreSQL may take back changes with their checkpoint, since nobody waits for the
/// disk: they are made again although nothing new happens.
#[tokio::test]
async fn what_a_crash_took_back_is_made_again() {
    let instance = Instance::new().await;
    let views = instance.views().await;
    let cancel = CancellationToken::new();
    views.follow(&cancel);
    let expected = trade(&instance, 11, 40).await;
    caught_up(&instance, &views).await;
    let tables = views::billing::account_balances::PROJECTION.tables;
    let tables: Vec<String> = tables.iter().map(|table| format!("view.{table}")).collect();
    let tables = tables.join(", ");
    let crash = format!(
        "TRUNCATE {tables};
         UPDATE view.checkpoints SET position = 0 WHERE projection = 'account_balances'"
    );
    instance.client.batch_execute(&crash).await.unwrap();
    let made_again = async {
        while accounts(&views).await != expected {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), made_again).await.unwrap();
    cancel.cancel();
}
