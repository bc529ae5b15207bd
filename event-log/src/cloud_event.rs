//! An event as it travels: a `CloudEvents` 1.0 message in NATS binary mode.
//!
//! The same event always makes the same message, so that stream and log compare byte for byte.

mod recorded;

use async_nats::{HeaderMap, HeaderName, jetstream::message::StreamMessage};
use bytes::Bytes;

use crate::RecordedEvent;

/// The attribute that names an event's schema: the schema's own `$id`.
const SCHEMA: &str = "ce-dataschema";
const SCHEMAS: &str = "urn:kontor:event:";

/// A message made of an event.
#[derive(Debug, Clone)]
pub struct CloudEvent {
    /// `<prefix>.<company or ->.<aggregate>.<event>`.
    pub subject: String,
    /// Attributes as `ce-` headers.
    pub headers: HeaderMap,
    /// The event's payload, exactly.
    pub data: Bytes,
}

impl CloudEvent {
    /// The message of an event under a subject prefix.
    pub fn of(event: &RecordedEvent, prefix: &str) -> Self {
        let mut headers = HeaderMap::new();
        for (name, value) in attributes(event) {
            headers.insert(HeaderName::from_static(name), encoded(value));
        }
        Self {
            subject: subject(event, prefix),
            headers,
            data: Bytes::copy_from_slice(event.payload.as_bytes()),
        }
    }

    /// Whether a stored message is this one: subject, every `ce-` header and the data. Headers of
    /// the publishing itself (`Nats-…`) do not count.
    pub fn is(&self, message: &StreamMessage) -> bool {
        self.matches(&message.subject, &message.headers, &message.payload)
    }

    /// The same, for a message that a consumer delivered. One of an earlier build names its schema
    /// as that build did, and is the same all the same.
    pub fn matches(&self, subject: &str, headers: &HeaderMap, data: &[u8]) -> bool {
        let attributes = |headers: &HeaderMap| {
            let mut attributes: Vec<(String, Vec<String>)> = headers
                .iter()
                .map(|(name, values)| {
                    let name = name.to_string();
                    (name, values.iter().map(ToString::to_string).collect())
                })
                .filter(|(name, _): &(String, Vec<String>)| {
                    name.starts_with("ce-") && name != SCHEMA
                })
                .collect();
            attributes.sort();
            attributes
        };
        self.subject == subject
            && self.data == data
            && attributes(&self.headers) == attributes(headers)
            && self.names_schema_of(headers)
    }

    fn names_schema_of(&self, headers: &HeaderMap) -> bool {
        let values = |headers: &HeaderMap| -> Vec<String> {
            headers.get_all(SCHEMA).map(ToString::to_string).collect()
        };
        let (own, theirs) = (values(&self.headers), values(headers));
        // A relative path, as earlier builds published it.
        let former = |name: &String| {
            name.strip_prefix(SCHEMAS).map_or(String::new(), |name| format!("events/{name}.json"))
        };
        theirs == own || theirs == own.iter().map(former).collect::<Vec<_>>()
    }
}

fn subject(event: &RecordedEvent, prefix: &str) -> String {
    match event.company_id {
        Some(company) => format!("{prefix}.{company}.{}", event.event_type),
        None => format!("{prefix}.-.{}", event.event_type),
    }
}

/// The attributes that `CloudEvents` 1.0 requires or names, and our extensions, whose names are
/// lower-case letters as it demands.
fn attributes(event: &RecordedEvent) -> Vec<(&'static str, String)> {
    let schema = format!("{SCHEMAS}{}.v{}", event.event_type, event.schema_version);
    let mut attributes = vec![
        ("ce-specversion", "1.0".to_owned()),
        ("ce-id", event.event_id.to_string()),
        ("ce-source", "/kontor/log".to_owned()),
        ("ce-type", event.event_type.clone()),
        ("ce-subject", format!("{}/{}", event.stream_type, event.stream_id)),
        ("ce-time", event.recorded_at.to_string()),
        ("ce-datacontenttype", "application/json".to_owned()),
        (SCHEMA, schema),
        ("ce-position", event.position.to_string()),
        ("ce-streamtype", event.stream_type.clone()),
        ("ce-streamid", event.stream_id.to_string()),
        ("ce-streamversion", event.version.to_string()),
        ("ce-schemaversion", event.schema_version.to_string()),
        ("ce-actor", event.actor.clone()),
        ("ce-commandid", event.command_id.to_string()),
        ("ce-correlationid", event.correlation_id.to_string()),
    ];
    let optional = [("ce-causationid", event.causation_id), ("ce-companyid", event.company_id)];
    attributes
        .extend(optional.into_iter().filter_map(|(name, id)| id.map(|id| (name, id.to_string()))));
    attributes
}

/// Percent-encodes all but printable ASCII, as the HTTP binding of `CloudEvents` does, so that no
/// value can end its header.
fn encoded(value: String) -> String {
    use std::fmt::Write;
    let stays = |byte: u8| (b'!'..=b'~').contains(&byte) && !matches!(byte, b'%' | b'"');
    // Nearly every value is an id, a number or a name.
    if value.bytes().all(stays) {
        return value;
    }
    value.bytes().fold(String::with_capacity(value.len()), |mut text, byte| {
        if stays(byte) {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("writing to a string does not fail");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::Position;

    fn event(actor: &str) -> RecordedEvent {
        let id = Uuid::from_u128(1);
        RecordedEvent {
            position: Position(7),
            event_id: id,
            stream_type: "offer".to_owned(),
            stream_id: id,
            version: 2,
            event_type: "offer.sent".to_owned(),
            schema_version: 1,
            company_id: Some(id),
            actor: actor.to_owned(),
            command_id: id,
            correlation_id: id,
            causation_id: None,
            recorded_at: Timestamp::UNIX_EPOCH,
            payload: r#"{"type":"sent","on":"2026-11-23"}"#.to_owned(),
        }
    }

    #[test]
    fn is_the_same_for_the_same_event_only() {
        let (one, same) =
            (CloudEvent::of(&event("key:1"), "kontor"), CloudEvent::of(&event("key:1"), "kontor"));
        assert!(one.matches(&same.subject, &same.headers, &same.data));
        assert_eq!(one.subject, "kontor.00000000-0000-0000-0000-000000000001.offer.sent");
        let other = CloudEvent::of(&event("key:2"), "kontor");
        assert!(!one.matches(&other.subject, &other.headers, &other.data));
        assert!(!one.matches(&one.subject, &one.headers, b"{}"));
    }

    #[test]
    fn is_the_same_when_an_earlier_build_named_its_schema() {
        let event = event("key:1");
        let message = CloudEvent::of(&event, "kontor");
        let named = |schema: Option<&str>| {
            let mut headers = HeaderMap::new();
            for (name, value) in attributes(&event) {
                match schema {
                    Some(schema) if name == SCHEMA => headers.insert(name, schema),
                    None if name == SCHEMA => {}
                    _ => headers.insert(name, encoded(value)),
                }
            }
            headers
        };
        let is = |schema| {
            let headers = named(schema);
            let same = message.matches(&message.subject, &headers, &message.data);
            let read = CloudEvent::recorded(&message.subject, &headers, &message.data, "kontor");
            assert_eq!(read.is_some(), same, "both ways agree");
            same
        };
        assert!(is(Some("urn:kontor:event:offer.sent.v1")));
        assert!(is(Some("events/offer.sent.v1.json")));
        assert!(!is(Some("events/offer.sent.v2.json")));
        assert!(!is(Some("urn:kontor:event:order.placed.v1")));
        assert!(!is(None));
    }

    #[test]
    fn lets_no_value_end_its_header() {
        let sly = CloudEvent::of(&event("łotr\r\nNats-Rollup: all"), "kontor");
        let actor = sly.headers.get("ce-actor").unwrap().as_str();
        assert_eq!(actor, "%C5%82otr%0D%0ANats-Rollup:%20all");
    }
}
