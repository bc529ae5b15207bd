//! Publishing: how fast the relay catches up beside raw atomic batches of the same messages, and
//! how long an event waits at a steady pace.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::{Client, Request};
use cqrs_es::CqrsFramework;
use event_log::{
    EventLog, Position,
    cloud_event::CloudEvent,
    relay::{Relay, RelayConfig},
};
use futures::future::join_all;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Failure,
    account::{Account, Command},
    database::{fill, log},
    table::{Table, median, whole},
};

const EVENTS: u64 = 200_000;
const ROUNDS: usize = 3;
const BATCH: usize = 1_000;

/// A stream of its own.
fn config() -> RelayConfig {
    let name = format!("bench-{}", Uuid::now_v7().simple());
    RelayConfig { subject_prefix: name.clone(), ..RelayConfig::new(name) }
}

pub(crate) async fn throughput(server: &str, nats: &str, table: &mut Table) -> Result<(), Failure> {
    let client = kontor::nats::connect(nats).await?;
    let (database, log) = log(server).await?;
    fill(&database, 0, EVENTS.cast_signed()).await?;
    let (mut relay, mut raw) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        relay.push(published(&log, &client).await?);
        raw.push(raw_batches(&log, &client).await?);
    }
    let (relay, raw) = (median(relay), median(raw));
    table.beside("relay, catching up", format!("{}/s", whole(relay)));
    table.at_least(
        &format!("— of raw atomic batches of the same messages, {}/s", whole(raw)),
        format!("{:.0} %", 100.0 * relay / raw),
        relay / raw,
        (0.70, "70 %"),
    );
    Ok(())
}

async fn published(log: &EventLog, client: &Client) -> Result<f64, Failure> {
    let config = config();
    let name = config.stream.clone();
    let relay = Arc::new(Relay::new(log.clone(), client.clone(), config));
    let (cancel, mut status) = (CancellationToken::new(), relay.status());
    let started = Instant::now();
    let running = tokio::spawn({
        let (relay, cancel) = (relay.clone(), cancel.clone());
        async move { relay.run(cancel).await }
    });
    status.wait_for(|status| status.published.0 >= EVENTS).await?;
    let rate = EVENTS as f64 / started.elapsed().as_secs_f64();
    cancel.cancel();
    running.await?;
    async_nats::jetstream::new(client.clone()).delete_stream(name).await?;
    Ok(rate)
}

/// The limit: messages made beforehand, sent as atomic batches one after the other.
async fn raw_batches(log: &EventLog, client: &Client) -> Result<f64, Failure> {
    let config = config();
    let jetstream = async_nats::jetstream::new(client.clone());
    let stream = async_nats::jetstream::stream::Config {
        name: config.stream.clone(),
        subjects: vec![format!("{}.>", config.subject_prefix)],
        allow_atomic_publish: true,
        ..Default::default()
    };
    jetstream.create_stream(stream).await?;
    let mut batches = Vec::new();
    let mut after = Position::START;
    loop {
        let page = log.read(after, BATCH).await?;
        let Some(last) = page.last() else { break };
        let batch = Uuid::now_v7().simple().to_string();
        let messages: Vec<CloudEvent> = (1..)
            .zip(&page)
            .map(|(sequence, event)| {
                let mut message = CloudEvent::of(event, &config.subject_prefix);
                message.headers.insert("Nats-Batch-Id", batch.as_str());
                message.headers.insert("Nats-Batch-Sequence", sequence.to_string().as_str());
                if sequence == 1 {
                    let last = after.to_string();
                    message.headers.insert("Nats-Expected-Last-Sequence", last.as_str());
                }
                if sequence == page.len() {
                    message.headers.insert("Nats-Batch-Commit", "1");
                }
                message
            })
            .collect();
        batches.push(messages);
        after = last.position;
    }
    let started = Instant::now();
    for batch in batches {
        let last = batch.len() - 1;
        for (index, CloudEvent { subject, headers, data }) in batch.into_iter().enumerate() {
            if index < last {
                client.publish_with_headers(subject, headers, data).await?;
            } else {
                let request = Request::new().headers(headers).payload(data);
                client.send_request(subject, request).await?;
            }
        }
    }
    let rate = after.0 as f64 / started.elapsed().as_secs_f64();
    let state = jetstream.get_stream(&config.stream).await?.cached_info().state.clone();
    assert_eq!(state.messages, EVENTS, "the limit must have stored what the relay stores");
    jetstream.delete_stream(&config.stream).await?;
    Ok(rate)
}

/// From an append's answer to its publication, at 5,000 events a second.
pub(crate) async fn lag(server: &str, nats: &str, table: &mut Table) -> Result<(), Failure> {
    const TICK: Duration = Duration::from_millis(10);
    const A_TICK: usize = 50;
    const TICKS: usize = 1_000;
    let client = kontor::nats::connect(nats).await?;
    let (_database, log) = log(server).await?;
    let relay = Arc::new(Relay::new(log.clone(), client, config()));
    let (cancel, mut status) = (CancellationToken::new(), relay.status());
    let running = tokio::spawn({
        let (relay, cancel) = (relay.clone(), cancel.clone());
        async move { relay.run(cancel).await }
    });
    // When each position was committed and published.
    let committed = Arc::new(Mutex::new(Vec::<(Instant, u64)>::new()));
    let watcher = tokio::spawn(async move {
        let mut published = Vec::<(Instant, u64)>::new();
        while status.changed().await.is_ok() {
            let reached = status.borrow_and_update().published.0;
            published.push((Instant::now(), reached));
            if reached >= (A_TICK * TICKS) as u64 {
                break;
            }
        }
        published
    });
    let framework = Arc::new(CqrsFramework::new(log.store::<Account>(), vec![], ()));
    let accounts: Vec<String> = (0..A_TICK).map(|_| Uuid::now_v7().to_string()).collect();
    let mut pace = tokio::time::interval(TICK);
    let mut head = log.committed();
    let noting = tokio::spawn({
        let committed = committed.clone();
        async move {
            while head.changed().await.is_ok() {
                let reached = head.borrow_and_update().0;
                committed.lock().await.push((Instant::now(), reached));
            }
        }
    });
    for _ in 0..TICKS {
        pace.tick().await;
        let tick = accounts.iter().map(|account| {
            let framework = framework.clone();
            async move { framework.execute(account, Command::Deposit { amount: 1 }).await }
        });
        for deposited in join_all(tick).await {
            deposited.map_err(|error| error.to_string())?;
        }
    }
    let published = watcher.await?;
    noting.abort();
    cancel.cancel();
    running.await?;
    let committed = committed.lock().await;
    let waits = waits(&committed, &published);
    let at = |hundredths: usize| waits[(waits.len() - 1) * hundredths / 100];
    let shown = format!("p50 {:.1}, p99 {:.1}, most {:.1} ms", at(50), at(99), at(100));
    let what = "publication lag at 5,000 events/s, commit to stored, p99";
    table.at_most(what, shown, at(99), (20.0, "20 ms"));
    Ok(())
}

/// How long each position waited, in milliseconds, sorted.
fn waits(committed: &[(Instant, u64)], published: &[(Instant, u64)]) -> Vec<f64> {
    let mut waits = Vec::new();
    let (mut from, mut stored) = (0, published.iter().peekable());
    for (at, reached) in committed {
        for position in from + 1..=*reached {
            while stored.next_if(|(_, published)| *published < position).is_some() {}
            if let Some((then, _)) = stored.peek() {
                waits.push(then.saturating_duration_since(*at).as_secs_f64() * 1e3);
            }
        }
        from = *reached;
    }
    waits.sort_by(f64::total_cmp);
    waits
}
