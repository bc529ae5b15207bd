//! The stream in `JetStream`.

use std::time::Duration;

use async_nats::{
    Client, HeaderName, HeaderValue, Request,
    jetstream::{
        self, ErrorCode,
        context::{CreateStreamErrorKind, GetStreamErrorKind},
        stream::{Config, DiscardPolicy, RetentionPolicy, StorageType},
    },
};
use bytes::Bytes;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    RelayConfig,
    publisher::Stop,
    stream::{Extent, Stream},
    tail,
};
use crate::{Position, RecordedEvent, cloud_event::CloudEvent};

/// The stream, as it was found.
pub(super) struct JetStream {
    client: Client,
    stream: jetstream::stream::Stream,
    subject_prefix: String,
}

/// NATS, and which stream of it.
pub(super) struct Server {
    client: Client,
    jetstream: jetstream::Context,
    config: RelayConfig,
}

const BATCH_ID: HeaderName = HeaderName::from_static("Nats-Batch-Id");
const BATCH_SEQUENCE: HeaderName = HeaderName::from_static("Nats-Batch-Sequence");
const BATCH_COMMIT: HeaderName = HeaderName::from_static("Nats-Batch-Commit");
const EXPECTED_LAST_SEQUENCE: HeaderName = HeaderName::from_static("Nats-Expected-Last-Sequence");
/// More bytes than the headers of a message ever have.
const HEADERS: usize = 8_192;
/// How long a batch may take to be answered.
const PATIENCE: Duration = Duration::from_secs(10);

/// The stream does not end where the batch expects it to.
const WRONG_LAST_SEQUENCE: u64 = ErrorCode::STREAM_WRONG_LAST_SEQUENCE.0;

/// What `JetStream` answers to the last message of a batch.
#[derive(Deserialize)]
#[serde(untagged)]
enum Ack {
    Refused { error: AckError },
    Stored { seq: u64 },
}

#[derive(Deserialize)]
struct AckError {
    err_code: u64,
    description: String,
}

impl RelayConfig {
    pub(super) fn config(&self) -> Config {
        Config {
            name: self.stream.clone(),
            subjects: vec![format!("{}.>", self.subject_prefix)],
            storage: StorageType::File,
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::New,
            deny_delete: true,
            deny_purge: true,
            allow_direct: true,
            allow_atomic_publish: true,
            num_replicas: self.replicas,
            description: Some("The history of Kontor: sequence n is position n.".to_owned()),
            ..Config::default()
        }
    }
}

impl Server {
    pub(super) fn new(client: Client, config: RelayConfig) -> Self {
        let mut jetstream = jetstream::new(client.clone());
        jetstream.set_timeout(PATIENCE);
        Self { client, jetstream, config }
    }
}

impl Stream for JetStream {
    type Server = Server;

    async fn open(server: &Server) -> Result<Self, Stop> {
        let Server { client, jetstream, config } = server;
        let wanted = config.config();
        let stream = match jetstream.get_stream(&config.stream).await {
            Ok(stream) => stream,
            Err(error)
                if matches!(error.kind(), GetStreamErrorKind::JetStream(ref e)
                if e.error_code() == ErrorCode::STREAM_NOT_FOUND) =>
            {
                tracing::info!(stream = config.stream, "creating the stream");
                jetstream.create_stream(wanted.clone()).await.map_err(|error| {
                    match error.kind() {
                        CreateStreamErrorKind::JetStream(_) => Stop::Halt(error.to_string()),
                        _ => Stop::Again(error.to_string()),
                    }
                })?
            }
            Err(error) => return Err(again(error)),
        };
        match why_unsafe(&stream.cached_info().config, &wanted) {
            Some(why) => {
                Err(Stop::Halt(format!("stream {} can lose history: {why}", config.stream)))
            }
            None => Ok(Self {
                client: client.clone(),
                stream,
                subject_prefix: config.subject_prefix.clone(),
            }),
        }
    }

    async fn extent(&self) -> Result<Extent, Stop> {
        let state = self.stream.get_info().await.map_err(again)?.state;
        Ok(Extent {
            first: state.first_sequence,
            last: state.last_sequence,
            messages: state.messages,
        })
    }

    async fn event_at(&self, sequence: u64) -> Result<Option<RecordedEvent>, Stop> {
        tail::event_at(&self.stream, sequence, &self.subject_prefix).await.map_err(Stop::Again)
    }

    async fn publish(&self, messages: Vec<CloudEvent>, last: Position) -> Result<u64, Stop> {
        let id = Uuid::now_v7().simple().to_string();
        let count = messages.len() as u64;
        let most = self.client.server_info().max_payload;
        for (sequence, message) in (1_u64..).zip(messages) {
            let CloudEvent { subject, mut headers, data } = message;
            if data.len() + HEADERS > most {
                return Err(Stop::Halt(format!(
                    "event {} is larger than the max_payload of {most} that NATS is set to",
                    last.0 + sequence
                )));
            }
            headers.insert(BATCH_ID, id.as_str());
            headers.insert(BATCH_SEQUENCE, HeaderValue::from(sequence));
            if sequence == 1 {
                headers.insert(EXPECTED_LAST_SEQUENCE, HeaderValue::from(last.0));
            }
            if sequence < count {
                self.client.publish_with_headers(subject, headers, data).await.map_err(again)?;
                continue;
            }
            headers.insert(BATCH_COMMIT, "1");
            let request = Request::new().headers(headers).payload(data).timeout(Some(PATIENCE));
            let answer = self.client.send_request(subject, request).await.map_err(again)?;
            return stored(&answer.payload);
        }
        Ok(last.0)
    }
}

/// Why a stream of this configuration could lose history, if it could.
pub(super) fn why_unsafe(present: &Config, wanted: &Config) -> Option<&'static str> {
    [
        (present.subjects != wanted.subjects, "it has other subjects"),
        (!present.allow_atomic_publish, "it takes no atomic batches"),
        (present.storage != StorageType::File, "it is not kept in files"),
        (present.max_messages > 0 || present.max_bytes > 0, "it has a limit"),
        (!present.max_age.is_zero(), "its messages expire"),
        (present.max_messages_per_subject > 0, "it has a limit per subject"),
        (present.retention != RetentionPolicy::Limits, "reading it deletes messages"),
    ]
    .into_iter()
    .find_map(|(is_so, why)| is_so.then_some(why))
}

fn again(error: impl std::fmt::Display) -> Stop {
    Stop::Again(error.to_string())
}

/// The sequence at which a batch was stored.
fn stored(answer: &Bytes) -> Result<u64, Stop> {
    match serde_json::from_slice(answer) {
        Ok(Ack::Stored { seq }) => Ok(seq),
        Ok(Ack::Refused { error }) if error.err_code == WRONG_LAST_SEQUENCE => Err(Stop::Overtaken),
        Ok(Ack::Refused { error }) => {
            Err(Stop::Again(format!("{} ({})", error.description, error.err_code)))
        }
        Err(error) => Err(Stop::Again(format!("an acknowledgement that is none: {error}"))),
    }
}
