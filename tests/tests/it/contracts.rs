//! The HTTP contract that is checked in is the one that is served.

use std::{fs, path::Path};

use event_log::{Position, RecordedEvent, cloud_event::CloudEvent};
use serde_json::Value;
use uuid::Uuid;

use crate::instance::Instance;

/// `KONTOR_BLESS=1` writes it anew; what changed is then seen in review.
#[tokio::test]
async fn the_openapi_document_is_the_landed_one() {
    let instance = Instance::start().await;
    let served = instance.get("admin", "/openapi.json").await.body;
    assert_eq!(served["openapi"], "3.1.0");
    let text = format!("{}\n", serde_json::to_string_pretty(&served).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/openapi.json");
    if std::env::var_os("KONTOR_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let landed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == landed, "schemas/openapi.json is not what is served: run with KONTOR_BLESS=1");
}

/// The header is an absolute URI, as `CloudEvents` demands, and leads to the schema.
#[test]
fn every_message_names_its_schema_by_the_schema_s_id() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/events");
    let mut checked = 0;
    for (event_type, version) in domain::Event::types() {
        let (stream_type, name) = event_type.split_once('.').unwrap();
        let context = domain::history::context_of(stream_type).unwrap();
        let file = folder.join(format!("{context}/{stream_type}/{name}.v{version}.json"));
        let schema: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let event = RecordedEvent {
            position: Position(1),
            event_id: Uuid::nil(),
            stream_type: stream_type.to_owned(),
            stream_id: Uuid::nil(),
            version: 1,
            event_type: event_type.to_owned(),
            schema_version: version,
            company_id: None,
            actor: "key:1".to_owned(),
            command_id: Uuid::nil(),
            correlation_id: Uuid::nil(),
            causation_id: None,
            recorded_at: "2026-11-30T00:00:00Z".parse().unwrap(),
            payload: "{}".to_owned(),
        };
        let message = CloudEvent::of(&event, "kontor");
        let named = message.headers.get("ce-dataschema").unwrap().as_str();
        assert_eq!(schema["$id"], named);
        assert!(named.starts_with("urn:kontor:event:"), "{named} is no absolute URI");
        checked += 1;
    }
    assert!(checked > 28, "{checked} schemas");
}
