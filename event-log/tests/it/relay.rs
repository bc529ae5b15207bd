//! The relay against a real nats-server: sequence equals position, and what must halt it.

use std::sync::Arc;

use async_nats::jetstream;
use event_log::{
    Append, Envelope, EventLog, NewEvent, Position, StreamWrite,
    relay::{Relay, RelayConfig, RelayState, RelayStatus, verify_stream},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::server::fresh_log;

/// A stream of a test's own, and the connection to its server.
pub(crate) struct Nats {
    pub(crate) client: async_nats::Client,
    pub(crate) config: RelayConfig,
}

impl Nats {
    pub(crate) async fn new() -> Self {
        let url = std::env::var("KONTOR_TEST_NATS_URL")
            .expect("run `make test`, which starts private servers");
        let client = async_nats::connect(url).await.unwrap();
        let name = format!("test_{}", Uuid::now_v7().simple());
        Self {
            client,
            config: RelayConfig { subject_prefix: name.clone(), ..RelayConfig::new(name) },
        }
    }

    pub(crate) fn relay(&self, log: &EventLog) -> Arc<Relay> {
        Arc::new(Relay::new(log.clone(), self.client.clone(), self.config.clone()))
    }

    pub(crate) fn jetstream(&self) -> jetstream::Context {
        jetstream::new(self.client.clone())
    }

    /// What is wrong with the stream, compared with all of the log.
    pub(crate) async fn difference(&self, log: &EventLog) -> Option<String> {
        let RelayConfig { stream, subject_prefix, .. } = &self.config;
        let head = log.head().await.unwrap();
        verify_stream(log, &self.jetstream(), stream, subject_prefix, head).await.unwrap()
    }
}

/// Runs a relay until the token is cancelled.
pub(crate) fn start(relay: &Arc<Relay>, cancel: &CancellationToken) {
    let (relay, cancel) = (relay.clone(), cancel.clone());
    tokio::spawn(async move { relay.run(cancel).await });
}

pub(crate) async fn until_published(relay: &Relay, log: &EventLog) {
    let head = log.head().await.unwrap();
    let mut status = relay.status();
    status.wait_for(|status| status.published >= head).await.unwrap();
}

/// The reason for which it halts.
pub(crate) async fn until_halted(relay: &Relay) -> String {
    let mut status = relay.status();
    let halted = |state: &RelayState| matches!(state, RelayState::Halted { .. });
    let status = status.wait_for(|status| halted(&status.state)).await.unwrap();
    match &status.state {
        RelayState::Halted { reason } => reason.clone(),
        other => panic!("{other:?}"),
    }
}

/// Appends so many events, in appends of a hundred, with payloads of so many bytes.
pub(crate) async fn append(log: &EventLog, events: usize, bytes: usize) {
    for start in (0..events).step_by(100) {
        let id = Uuid::now_v7();
        let text = "ż".repeat(bytes / 2);
        let event = |number: usize| NewEvent {
            event_type: "account.noted".into(),
            schema_version: 1,
            payload: format!(r#"{{"number":{number},"text":"{text}"}}"#),
        };
        let envelope = Envelope {
            command_id: id,
            remember: None,
            actor: "key:łukasz\r\n".to_owned(),
            correlation_id: id,
            causation_id: None,
        };
        let write = StreamWrite {
            stream_type: "account",
            stream_id: id,
            expected: 0,
            company_id: Some(id),
            events: (start..events.min(start + 100)).map(event).collect(),
        };
        let (writes, reads) = (vec![write], Vec::new());
        log.append(Append { envelope, writes, reads, answer: (id, 0) }).await.unwrap();
    }
}

#[tokio::test]
async fn racing_relays_publish_every_event_once() {
    let (_database, log) = fresh_log().await;
    let nats = Nats::new().await;
    let (one, other) = (nats.relay(&log), nats.relay(&log));
    let cancel = CancellationToken::new();
    start(&one, &cancel);
    start(&other, &cancel);
    append(&log, 5_000, 10).await;
    until_published(&one, &log).await;
    until_published(&other, &log).await;
    assert_eq!(nats.difference(&log).await, None);
    cancel.cancel();
}

#[tokio::test]
async fn a_relay_goes_on_where_the_last_one_ended() {
    let (_database, log) = fresh_log().await;
    let nats = Nats::new().await;
    for _ in 0..3 {
        append(&log, 700, 10).await;
        let (relay, cancel) = (nats.relay(&log), CancellationToken::new());
        start(&relay, &cancel);
        until_published(&relay, &log).await;
        cancel.cancel();
    }
    assert_eq!(nats.difference(&log).await, None);
}

#[tokio::test]
async fn large_events_travel_too() {
    let (_database, log) = fresh_log().await;
    let nats = Nats::new().await;
    append(&log, 20, 900_000).await;
    let (relay, cancel) = (nats.relay(&log), CancellationToken::new());
    start(&relay, &cancel);
    until_published(&relay, &log).await;
    assert_eq!(nats.difference(&log).await, None);
    cancel.cancel();
}

#[tokio::test]
async fn a_stream_ahead_of_the_log_halts() {
    let (_database, log) = fresh_log().await;
    let nats = Nats::new().await;
    append(&log, 50, 10).await;
    let (relay, cancel) = (nats.relay(&log), CancellationToken::new());
    start(&relay, &cancel);
    until_published(&relay, &log).await;
    cancel.cancel();

    // As after a restore of PostgreSQL to an earlier state.
    let (_restored, earlier) = fresh_log().await;
    append(&earlier, 20, 10).await;
    let (relay, cancel) = (nats.relay(&earlier), CancellationToken::new());
    start(&relay, &cancel);
    assert!(until_halted(&relay).await.contains("ahead of the log"));
    assert_eq!(nats.difference(&log).await, None, "nothing was written over");
    cancel.cancel();
}

#[tokio::test]
async fn another_history_halts() {
    let ((_one, log), (_other, stranger)) = (fresh_log().await, fresh_log().await);
    let nats = Nats::new().await;
    append(&log, 20, 10).await;
    append(&stranger, 30, 10).await;
    let (relay, cancel) = (nats.relay(&log), CancellationToken::new());
    start(&relay, &cancel);
    until_published(&relay, &log).await;
    cancel.cancel();

    let (relay, cancel) = (nats.relay(&stranger), CancellationToken::new());
    start(&relay, &cancel);
    assert!(until_halted(&relay).await.contains("is not event 20"));
    let found = nats.difference(&stranger).await.unwrap();
    assert!(found.contains("20 messages"), "{found}");
    cancel.cancel();
}

#[tokio::test]
async fn a_stream_that_can_lose_history_halts() {
    let (_database, log) = fresh_log().await;
    let nats = Nats::new().await;
    let forgetful = jetstream::stream::Config {
        name: nats.config.stream.clone(),
        subjects: vec![format!("{}.>", nats.config.subject_prefix)],
        max_messages: 10,
        allow_atomic_publish: true,
        ..Default::default()
    };
    nats.jetstream().create_stream(forgetful).await.unwrap();
    let (relay, cancel) = (nats.relay(&log), CancellationToken::new());
    start(&relay, &cancel);
    assert!(until_halted(&relay).await.contains("it has a limit"));
    append(&log, 1, 10).await;
    let stream = nats.jetstream().get_stream(&nats.config.stream).await.unwrap();
    assert_eq!(stream.get_info().await.unwrap().state.last_sequence, Position::START.0);
    cancel.cancel();
}

/// Whatever is wrong with a stream is found by a comparison too, not by the relay alone.
#[tokio::test]
async fn a_comparison_finds_what_halts_the_relay() {
    let (_database, log) = fresh_log().await;
    let nats = Nats::new().await;
    append(&log, 30, 10).await;
    let (relay, cancel) = (nats.relay(&log), CancellationToken::new());
    start(&relay, &cancel);
    until_published(&relay, &log).await;
    cancel.cancel();
    assert_eq!(nats.difference(&log).await, None);

    let (_restored, earlier) = fresh_log().await;
    append(&earlier, 10, 10).await;
    assert!(nats.difference(&earlier).await.unwrap().contains("ahead of the log at 10"));

    let subject = format!("{}.-.foreign.message", nats.config.subject_prefix);
    nats.jetstream().publish(subject, "{}".into()).await.unwrap().await.unwrap();
    assert!(nats.difference(&log).await.unwrap().contains("ahead of the log at 30"));
    append(&log, 1, 10).await;
    assert_eq!(nats.difference(&log).await.unwrap(), "message 31 is not event 31");

    let mut config = nats.jetstream().get_stream(&nats.config.stream).await.unwrap();
    let mut config = config.info().await.unwrap().config.clone();
    config.max_age = std::time::Duration::from_hours(1);
    nats.jetstream().update_stream(config).await.unwrap();
    assert!(nats.difference(&log).await.unwrap().contains("its messages expire"));
}

/// Earlier builds named the schema of an event by a path. Their streams go on.
#[tokio::test]
async fn a_stream_of_an_earlier_build_goes_on() {
    let (_database, log) = fresh_log().await;
    let nats = Nats::new().await;
    append(&log, 20, 10).await;
    let (relay, cancel) = (nats.relay(&log), CancellationToken::new());
    start(&relay, &cancel);
    until_published(&relay, &log).await;
    cancel.cancel();
    let jetstream = nats.jetstream();
    let published = jetstream.get_stream(&nats.config.stream).await.unwrap();
    let config = published.get_info().await.unwrap().config;
    let mut messages = Vec::new();
    for sequence in 1..=20 {
        messages.push(published.get_raw_message(sequence).await.unwrap());
    }
    jetstream.delete_stream(&nats.config.stream).await.unwrap();
    jetstream.create_stream(config).await.unwrap();
    for message in messages {
        let mut headers = async_nats::HeaderMap::new();
        for (name, values) in message.headers.iter() {
            let name = name.to_string();
            if name == "ce-dataschema" {
                assert_eq!(values[0].as_str(), "urn:kontor:event:account.noted.v1");
                headers.insert(name, "events/account.noted.v1.json");
            } else if name.starts_with("ce-") {
                headers.insert(name, values[0].clone());
            }
        }
        let publish = jetstream.publish_with_headers(message.subject, headers, message.payload);
        publish.await.unwrap().await.unwrap();
    }

    append(&log, 20, 10).await;
    let (relay, cancel) = (nats.relay(&log), CancellationToken::new());
    start(&relay, &cancel);
    until_published(&relay, &log).await;
    cancel.cancel();
    assert_eq!(nats.difference(&log).await, None);
}

/// A lost race is no trouble: whoever looks at the health of a relay must not see it come and go.
#[tokio::test]
async fn two_relays_race_without_a_word() {
    let (_database, log) = fresh_log().await;
    let nats = Nats::new().await;
    let relays = [nats.relay(&log), nats.relay(&log)];
    let cancel = CancellationToken::new();
    let mut watching = tokio::task::JoinSet::new();
    for relay in &relays {
        start(relay, &cancel);
        until_published(relay, &log).await;
        let (mut status, cancel) = (relay.status(), cancel.clone());
        status.wait_for(|status| status.state == RelayState::Live).await.unwrap();
        watching.spawn(async move {
            let troubled = |status: &RelayStatus| status.state == RelayState::Connecting;
            tokio::select! {
                troubled = status.wait_for(troubled) => panic!("{:?}", *troubled.unwrap()),
                () = cancel.cancelled() => {}
            }
        });
    }
    for _ in 0..100 {
        append(&log, 1, 10).await;
    }
    for relay in &relays {
        until_published(relay, &log).await;
    }
    cancel.cancel();
    watching.join_all().await;
    assert_eq!(nats.difference(&log).await, None);
}
