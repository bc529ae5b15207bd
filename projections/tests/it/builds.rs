//! Two builds that overlap: the one that started last has rebuilt what differs and goes on with it; the
//! other one reads.

use std::time::Duration;

use event_log::{Position, RecordedEvent};
use projections::{Change, Projection, State, Views, rebuild, views};
use tokio_util::sync::CancellationToken;

use crate::{
    stored::Event,
    trade::{Instance, trade},
};

const PRESENT: Projection = views::billing::payments::PROJECTION;
const NEWER: Projection = Projection { build: PRESENT.build.wrapping_add(1), ..PRESENT };

async fn open(instance: &Instance, projection: Projection) -> Views {
    let pool = service_kit::postgres::pool(&instance.url, "test", 4).unwrap();
    Views::open_some(pool, instance.log.clone(), &[projection]).await.unwrap()
}

async fn shown(views: &Views) -> Position {
    views.checkpoints().await.unwrap()["payments"]
}

async fn is(views: &Views, state: State) {
    let mut status = views.status("payments").unwrap();
    let waited = status.wait_for(|status| status.state == state);
    let waited = tokio::time::timeout(Duration::from_secs(20), waited).await;
    assert!(waited.is_ok_and(|waited| waited.is_ok()), "{state:?}");
}

#[tokio::test]
async fn only_the_build_that_started_last_writes() {
    let instance = Instance::new().await;
    let older = open(&instance, PRESENT).await;
    let cancel = CancellationToken::new();
    older.follow(&cancel);
    trade(&instance, 21, 20).await;
    let head = instance.log.head().await.unwrap();
    older.wait(&["payments"], head).await.unwrap();

    let newer = open(&instance, NEWER).await;
    is(&older, State::OtherBuild).await;
    assert!(older.status("payments").unwrap().borrow().trouble().is_some(), "health says so");
    trade_on(&instance).await;
    // As long as a runner takes to look several times.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(shown(&newer).await, head, "the older build has written the rows of the newer one");

    newer.follow(&cancel);
    let head = instance.log.head().await.unwrap();
    newer.wait(&["payments"], head).await.unwrap();
    older.wait(&["payments"], head).await.unwrap();
    is(&older, State::OtherBuild).await;
    is(&newer, State::Following).await;
    assert_eq!(rebuild::compare(&newer, NEWER).await.unwrap(), []);
    assert!(rebuild::compare(&older, PRESENT).await.is_err(), "the rows are not of this build");
    cancel.cancel();
}

/// Looking takes nothing from a build that runs; starting once more does.
#[tokio::test]
async fn a_build_takes_rows_over_only_when_it_starts() {
    let instance = Instance::new().await;
    let newer = open(&instance, NEWER).await;
    let pool = service_kit::postgres::pool(&instance.url, "test", 4).unwrap();
    Views::attach(pool, instance.log.clone()).await.unwrap();
    let cancel = CancellationToken::new();
    newer.follow(&cancel);
    trade(&instance, 22, 10).await;
    let head = instance.log.head().await.unwrap();
    newer.wait(&["payments"], head).await.unwrap();
    is(&newer, State::Following).await;

    let older = open(&instance, PRESENT).await;
    is(&newer, State::OtherBuild).await;
    older.follow(&cancel);
    trade_on(&instance).await;
    let head = instance.log.head().await.unwrap();
    older.wait(&["payments"], head).await.unwrap();
    is(&newer, State::OtherBuild).await;
    cancel.cancel();
}

/// What a later build can apply is tried again in order, with all that was left out since.
#[tokio::test]
async fn a_later_build_tries_again_what_was_set_aside() {
    const ORDERS: Projection = views::sales::orders::PROJECTION;
    fn mended(recorded: &RecordedEvent, event: &domain::Event) -> Vec<Change> {
        if recorded.version == 2 { vec![] } else { (ORDERS.apply)(recorded, event) }
    }
    const MENDED: Projection =
        Projection { apply: mended, build: ORDERS.build.wrapping_add(1), ..ORDERS };

    let instance = Instance::new().await;
    let cancel = CancellationToken::new();
    let older = open(&instance, ORDERS).await;
    older.follow(&cancel);
    let placed = Event::sample("order", "placed");
    placed.append(&instance).await;
    // The same once more, which no command would do.
    placed.then("placed", placed.payload.clone()).append(&instance).await;
    let twice = placed.then("placed", placed.payload.clone());
    let head = twice.then("confirmed", serde_json::json!({})).append(&instance).await;
    older.wait(&["orders"], head).await.unwrap();
    assert_eq!(older.set_aside(&["orders"], None).len(), 1);
    let status = "SELECT status FROM view.orders";
    let of = async || instance.client.query_one(status, &[]).await.unwrap().get::<_, String>(0);
    assert_eq!(of().await, "placed", "what follows is left out too");

    let later = open(&instance, MENDED).await;
    assert_eq!(later.set_aside(&["orders"], None), []);
    assert_eq!(of().await, "confirmed");
    assert_eq!(rebuild::compare(&later, MENDED).await.unwrap(), []);
    cancel.cancel();
}

async fn trade_on(instance: &Instance) {
    Event::sample("payment", "booked").append(instance).await;
}
