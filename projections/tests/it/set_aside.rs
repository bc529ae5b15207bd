//! Events that cannot be applied: what they are of is set aside, everything else goes on; where that
//! would show others wrongly, the read model stops.

use std::time::Duration;

use event_log::Position;
use projections::{State, Views, aside, rebuild, views};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    runner::{caught_up, names, schemas_of_rebuilds},
    stored::{Event, append_many},
    trade::{Instance, trade},
};

/// A thousand events by themselves take a while, and a stopped read model tries again now and then.
const PATIENCE: Duration = Duration::from_mins(1);

async fn stops(views: &Views, name: &str) -> Position {
    let mut status = views.status(name).unwrap();
    let stopped = status.wait_for(|status| matches!(status.state, State::Stopped { .. }));
    let stopped = tokio::time::timeout(PATIENCE, stopped).await;
    stopped.expect("it stops").unwrap().position
}

async fn count(instance: &Instance, sql: &str) -> i64 {
    instance.client.query_one(sql, &[]).await.unwrap().get(0)
}

/// One that cannot be read, one that PostgreSQL refuses, each with others on its page.
#[tokio::test]
async fn what_cannot_be_applied_is_set_aside_and_all_else_goes_on() {
    let instance = Instance::new().await;
    let views = instance.views().await;
    trade(&instance, 10, 10).await;
    let company = Uuid::now_v7();
    let unreadable = Event { company: Some(company), ..Event::of("invoice", "framed") };
    let first = unreadable.append(&instance).await;
    let issued = Event::sample("invoice", "issued");
    let left_out =
        Event { company: Some(company), ..unreadable.then("issued", issued.payload.clone()) };
    left_out.append(&instance).await;
    let placed = Event::sample("order", "placed");
    placed.append(&instance).await;
    let refused = placed.then("placed", placed.payload.clone()).append(&instance).await;
    let other = Event::sample("order", "placed");
    other.append(&instance).await;
    let cancel = CancellationToken::new();
    views.follow(&cancel);
    caught_up(&instance, &views).await;

    let aside = views.set_aside(&names(), None);
    let found: Vec<_> = aside.iter().map(|aside| (aside.key, aside.position)).collect();
    let [invoice, order] = [unreadable.stream_id, placed.stream_id];
    // Balances and bought products by company, invoices and timelines by invoice.
    let [of_company, of_invoice] = [(company, first), (invoice, first)];
    let expected = [of_company, of_company, of_invoice, of_invoice, (order, refused)];
    assert_eq!(found, expected, "{aside:?}");
    assert_eq!(
        count(&instance, "SELECT count(*) FROM view.orders").await,
        2,
        "neighbours are there"
    );
    let shown = format!("SELECT count(*) FROM view.invoices WHERE id = '{invoice}'");
    assert_eq!(count(&instance, &shown).await, 0, "what follows in the stream is left out");
    assert_ne!(count(&instance, "SELECT count(*) FROM view.invoices").await, 0);
    assert_ne!(count(&instance, "SELECT count(*) FROM view.account_balances").await, 0);
    assert_eq!(count(&instance, "SELECT count(*) FROM view.failures").await, 0, "nothing stopped");
    let trouble = views.status("orders").unwrap().borrow().trouble().unwrap();
    assert!(trouble.contains("1 set aside") && trouble.contains(&order.to_string()), "{trouble}");

    // Others may not know of it.
    let stranger = Some(Uuid::now_v7());
    assert_eq!(views.set_aside(&["invoices"], stranger), []);
    assert_eq!(views.set_aside(&["invoices"], Some(company)).len(), 1);

    for name in ["invoices", "orders", "account_balances"] {
        let projection = views::named(name).unwrap();
        assert_eq!(rebuild::compare(&views, projection).await.unwrap(), [], "{name}");
        rebuild::rebuild(&views, projection).await.unwrap();
        assert_eq!(rebuild::compare(&views, projection).await.unwrap(), [], "{name} rebuilt");
    }
    assert_eq!(count(&instance, "SELECT count(*) FROM view.set_aside").await, 5);
    let forget = "DELETE FROM view.set_aside WHERE projection = 'orders'";
    instance.client.batch_execute(forget).await.unwrap();
    let found = rebuild::compare(&views, views::sales::orders::PROJECTION).await.unwrap();
    assert_eq!(found.iter().map(|found| found.table).collect::<Vec<_>>(), ["set_aside"]);
    cancel.cancel();
}

/// A rule of prices that is missing would make prices wrong for companies that nobody could name, and an
/// account has no owner whom one could tell when its event names no company.
#[tokio::test]
async fn a_read_model_stops_where_others_would_be_shown_wrongly() {
    let instance = Instance::new().await;
    let views = instance.views().await;
    let cancel = CancellationToken::new();
    views.follow(&cancel);
    trade(&instance, 12, 10).await;
    caught_up(&instance, &views).await;
    let before = instance.log.head().await.unwrap();
    Event::of("price", "framed").append(&instance).await;
    let head = Event::of("payment", "framed").append(&instance).await;
    assert_eq!(stops(&views, "prices").await, before, "all before it took effect");
    assert_eq!(stops(&views, "account_balances").await, Position(before.0 + 1));
    let others = names().into_iter().filter(|name| !["prices", "account_balances"].contains(name));
    views.wait(&others.collect::<Vec<_>>(), head).await.unwrap();
    let failures = "SELECT projection, position FROM view.failures ORDER BY position";
    let failures = instance.client.query(failures, &[]).await.unwrap();
    let failures: Vec<(&str, i64)> = failures.iter().map(|row| (row.get(0), row.get(1))).collect();
    let at = |after: u64| (before.0 + after).cast_signed();
    assert_eq!(failures, [("prices", at(1)), ("account_balances", at(2))]);
    let compared = rebuild::compare(&views, views::pricing::prices::PROJECTION).await.unwrap();
    assert_eq!(compared, [], "up to where it stopped");
    cancel.cancel();
}

/// A rebuild that meets such an event fails, and leaves neither tables nor a changed read model.
#[tokio::test]
async fn a_rebuild_that_fails_leaves_nothing_behind() {
    let instance = Instance::new().await;
    let views = instance.views().await;
    Event::of("price", "framed").append(&instance).await;
    assert!(rebuild::rebuild(&views, views::pricing::prices::PROJECTION).await.is_err());
    assert_eq!(schemas_of_rebuilds(&instance).await, 0);
    assert_eq!(views.checkpoints().await.unwrap()["prices"], Position::START);
}

/// When nearly everything fails, it is not single streams that are damaged.
#[tokio::test]
async fn not_everything_is_set_aside() {
    let instance = Instance::new().await;
    let views = instance.views().await;
    let framed: Vec<Event> = (0..=aside::MOST).map(|_| Event::of("shipment", "framed")).collect();
    append_many(&instance, &framed).await;
    let cancel = CancellationToken::new();
    views.follow(&cancel);
    assert_eq!(stops(&views, "shipments").await, Position(aside::MOST as u64));
    assert_eq!(views.set_aside(&["shipments"], None).len(), aside::MOST);
    cancel.cancel();
}

/// A table that is missing is nobody's fault among the events: none is set aside for it.
#[tokio::test]
async fn what_no_event_is_to_blame_for_sets_nothing_aside() {
    let instance = Instance::new().await;
    let views = instance.views().await;
    instance.client.batch_execute("ALTER TABLE view.payments RENAME TO lost").await.unwrap();
    let booked = Event::sample("payment", "booked");
    booked.append(&instance).await;
    let cancel = CancellationToken::new();
    views.follow(&cancel);
    assert_eq!(stops(&views, "payments").await, Position::START);
    assert_eq!(views.set_aside(&["payments"], None), []);
    instance.client.batch_execute("ALTER TABLE view.lost RENAME TO payments").await.unwrap();
    let mut status = views.status("payments").unwrap();
    let goes_on = status.wait_for(|status| status.state == State::Following);
    tokio::time::timeout(PATIENCE, goes_on).await.expect("it goes on").unwrap();
    caught_up(&instance, &views).await;
    cancel.cancel();
}
