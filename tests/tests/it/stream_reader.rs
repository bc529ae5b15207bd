//! A consumer of the stream, as described in docs/events.md, with read-only access.

use std::time::Duration;

use async_nats::jetstream::{
    self,
    consumer::{AckPolicy, DeliverPolicy, pull, push},
};
use futures::StreamExt;
use serde_json::json;

use crate::instance::{Instance, eventually};

const STREAM: &str = "kontor";

async fn draft(instance: &Instance, sku: &str) -> u64 {
    let body = json!({ "sku": sku, "name": sku, "unit": "piece", "vat_rate": "23" });
    let drafted = instance.post("admin", "/v1/products", &body).await;
    drafted.body["position"].as_u64().unwrap_or_else(|| panic!("{drafted:?}"))
}

/// The stream as its reader sees it.
async fn reader(instance: &Instance) -> jetstream::Context {
    let url = instance.run_file()["nats_reader_url"].as_str().unwrap().to_owned();
    let mut reader = jetstream::new(kontor::nats::connect(&url).await.unwrap());
    reader.set_timeout(Duration::from_secs(2));
    reader
}

async fn published(instance: &Instance, position: u64) {
    let url = instance.run_file()["nats_url"].as_str().unwrap().to_owned();
    let all = jetstream::new(kontor::nats::connect(&url).await.unwrap());
    eventually("it is published", async || {
        let stream = all.get_stream(STREAM).await.ok()?;
        let last = stream.get_info().await.ok()?.state.last_sequence;
        (last >= position).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_reader_consumes_the_stream_and_goes_on_after_a_restart() {
    let mut instance = Instance::start_with_servers().await;
    let position = draft(&instance, "SKU-1").await;
    published(&instance, position).await;
    let jetstream = reader(&instance).await;
    let durable = pull::Config {
        durable_name: Some("erp".to_owned()),
        ack_policy: AckPolicy::Explicit,
        deliver_policy: DeliverPolicy::All,
        filter_subject: "kontor.*.product.>".to_owned(),
        ..Default::default()
    };
    let stream = jetstream.get_stream(STREAM).await.unwrap();
    let consumer = stream.create_consumer(durable).await.unwrap();
    let mut messages = consumer.fetch().max_messages(10).messages().await.unwrap();
    let first = messages.next().await.unwrap().unwrap();
    let header = |name: &str| first.headers.as_ref().unwrap().get(name).unwrap().to_string();
    assert_eq!(header("ce-type"), "product.drafted");
    assert_eq!(header("ce-position"), first.info().unwrap().stream_sequence.to_string());
    let event: serde_json::Value = serde_json::from_slice(&first.payload).unwrap();
    assert_eq!(event["type"], "drafted");
    first.double_ack().await.unwrap();
    let url = instance.run_file()["nats_reader_url"].clone();

    instance.stop();
    assert!(!instance.directory().join("run.json").exists(), "nobody runs");
    instance.start_again().await;
    assert_eq!(instance.run_file()["nats_reader_url"], url, "the same port and password");
    let position = draft(&instance, "SKU-2").await;
    published(&instance, position).await;
    let jetstream = reader(&instance).await;
    let consumer: jetstream::consumer::PullConsumer =
        jetstream.get_stream(STREAM).await.unwrap().get_consumer("erp").await.unwrap();
    let mut messages = consumer.fetch().max_messages(10).messages().await.unwrap();
    let mut skus = Vec::new();
    while let Some(message) = messages.next().await {
        let message = message.unwrap();
        let event: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
        skus.push(event["description"]["sku"].as_str().unwrap_or_default().to_owned());
        message.double_ack().await.unwrap();
    }
    assert_eq!(skus, ["SKU-2"], "from where it was");
}

#[tokio::test]
async fn a_reader_changes_nothing() {
    let instance = Instance::start_with_servers().await;
    let position = draft(&instance, "SKU-1").await;
    published(&instance, position).await;
    let jetstream = reader(&instance).await;

    for subject in ["kontor.-.product.drafted", "kontor.-.foreign.message"] {
        let sent = jetstream.publish(subject, "{}".into()).await;
        let stored = match sent {
            Ok(acknowledged) => acknowledged.await.is_ok(),
            Err(_) => false,
        };
        assert!(!stored, "{subject}");
    }
    let stream = jetstream.get_stream(STREAM).await.unwrap();
    let mut config = stream.get_info().await.unwrap().config;
    assert!(stream.purge().await.is_err());
    assert!(stream.delete_message(1).await.is_err());
    assert!(jetstream.delete_stream(STREAM).await.is_err());
    config.max_messages = 1;
    assert!(jetstream.update_stream(config).await.is_err());
    let other = jetstream::stream::Config {
        name: "mine".to_owned(),
        subjects: vec!["mine.>".to_owned()],
        ..Default::default()
    };
    assert!(jetstream.create_stream(other).await.is_err());
    // Nor does the server publish for it.
    let circle = push::Config {
        deliver_subject: "kontor.-.foreign.message".to_owned(),
        ..Default::default()
    };
    assert!(stream.create_consumer(circle).await.is_err());
    let durable = pull::Config { durable_name: Some("erp".to_owned()), ..Default::default() };
    stream.create_consumer(durable).await.unwrap();
    assert!(stream.delete_consumer("erp").await.is_err(), "it might be another's");

    // Nor does it answer into the stream.
    let url = instance.run_file()["nats_reader_url"].as_str().unwrap().to_owned();
    let client = kontor::nats::connect(&url).await.unwrap();
    for subject in
        ["$JS.API.INFO", "$JS.API.STREAM.INFO.kontor", "$JS.API.CONSUMER.INFO.kontor.erp"]
    {
        let into = "kontor.-.foreign.message";
        client.publish_with_reply(subject, into, "".into()).await.unwrap();
    }
    client.flush().await.unwrap();
    // Answered after those before it.
    let state = jetstream.get_stream(STREAM).await.unwrap().get_info().await.unwrap().state;
    assert_eq!((state.first_sequence, state.messages), (1, state.last_sequence));
    instance.run(&["log", "verify"]);
}
