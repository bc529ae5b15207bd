//! Events as they stand in a log that other builds have written: whatever they say, nobody decided.

use std::{fs, path::Path};

use event_log::{Append, Envelope, NewEvent, Position, StreamWrite};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::trade::Instance;

/// An event.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) stream_type: &'static str,
    pub(crate) stream_id: Uuid,
    /// The version of its stream before it.
    pub(crate) after: u64,
    pub(crate) company: Option<Uuid>,
    /// Such as `placed`.
    pub(crate) name: &'static str,
    pub(crate) payload: Value,
}

impl Event {
    /// One that says nothing but its type, the first of a new stream of no company.
    pub(crate) fn of(stream_type: &'static str, name: &'static str) -> Self {
        let payload = json!({ "type": name });
        Self { stream_type, stream_id: Uuid::now_v7(), after: 0, company: None, name, payload }
    }

    /// A frozen sample, the first of a new stream of the company of all samples.
    pub(crate) fn sample(stream_type: &'static str, name: &'static str) -> Self {
        let context = domain::history::context_of(stream_type).unwrap();
        let file = format!("../schemas/samples/{context}/{stream_type}/{name}.v1.json");
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let company = Some("00000000-0000-7000-8000-000000000001".parse().unwrap());
        let mut sample = Self::of(stream_type, name);
        sample.company = company;
        sample.payload = serde_json::from_str(&text).unwrap();
        if sample.payload.get("id").is_some() {
            sample.payload["id"] = json!(sample.stream_id);
        }
        sample
    }

    /// The same, saying more.
    pub(crate) fn saying(mut self, payload: Value) -> Self {
        self.payload = payload;
        self.payload["type"] = json!(self.name);
        self
    }

    /// One that follows in the same stream.
    pub(crate) fn then(&self, name: &'static str, payload: Value) -> Self {
        Self { name, after: self.after + 1, ..self.clone() }.saying(payload)
    }

    /// Records it; says where it stands.
    pub(crate) async fn append(&self, instance: &Instance) -> Position {
        append_many(instance, std::slice::from_ref(self)).await;
        instance.log.head().await.unwrap()
    }

    fn write(&self) -> StreamWrite {
        let event = NewEvent {
            event_type: format!("{}.{}", self.stream_type, self.name).into(),
            schema_version: 1,
            payload: self.payload.to_string(),
        };
        StreamWrite {
            stream_type: self.stream_type,
            stream_id: self.stream_id,
            expected: self.after,
            company_id: self.company,
            events: vec![event],
        }
    }
}

/// Records events of different streams at once.
pub(crate) async fn append_many(instance: &Instance, events: &[Event]) {
    let id = Uuid::now_v7();
    let envelope = Envelope {
        command_id: id,
        remember: None,
        actor: "test".to_owned(),
        correlation_id: id,
        causation_id: None,
    };
    let writes = events.iter().map(Event::write).collect();
    let append = Append { envelope, writes, reads: Vec::new(), answer: (id, 0) };
    instance.log.append(append).await.unwrap();
}
