//! The way back: the event that a message was made of.

use std::str::FromStr;

use async_nats::HeaderMap;
use percent_encoding::percent_decode_str;

use super::CloudEvent;
use crate::{Position, RecordedEvent};

impl CloudEvent {
    /// The event of which the relay made this message; `None` when it did not.
    pub fn recorded(
        subject: &str,
        headers: &HeaderMap,
        data: &[u8],
        prefix: &str,
    ) -> Option<RecordedEvent> {
        let event = RecordedEvent {
            position: Position(parsed(headers, "ce-position")?),
            event_id: parsed(headers, "ce-id")?,
            stream_type: parsed(headers, "ce-streamtype")?,
            stream_id: parsed(headers, "ce-streamid")?,
            version: parsed(headers, "ce-streamversion")?,
            event_type: parsed(headers, "ce-type")?,
            schema_version: parsed(headers, "ce-schemaversion")?,
            company_id: parsed(headers, "ce-companyid"),
            actor: parsed(headers, "ce-actor")?,
            command_id: parsed(headers, "ce-commandid")?,
            correlation_id: parsed(headers, "ce-correlationid")?,
            causation_id: parsed(headers, "ce-causationid"),
            recorded_at: parsed(headers, "ce-time")?,
            payload: String::from_utf8(data.to_vec()).ok()?,
        };
        // What is not exactly what the relay would publish is somebody else's.
        Self::of(&event, prefix).matches(subject, headers, data).then_some(event)
    }
}

fn parsed<T: FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    let value = headers.get(name)?.as_str();
    percent_decode_str(value).decode_utf8().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_message_tells_the_whole_event() {
        let id = Uuid::now_v7();
        let event = RecordedEvent {
            position: Position(7),
            event_id: Uuid::now_v7(),
            stream_type: "offer".to_owned(),
            stream_id: id,
            version: 2,
            event_type: "offer.sent".to_owned(),
            schema_version: 3,
            company_id: Some(Uuid::now_v7()),
            actor: "key:łukasz\r\n100%".to_owned(),
            command_id: Uuid::now_v7(),
            correlation_id: Uuid::now_v7(),
            causation_id: Some(Uuid::now_v7()),
            recorded_at: "2026-11-24T00:12:57.000001Z".parse().unwrap(),
            payload: "{\"text\":\"Zażółć\"}".to_owned(),
        };
        let seller_s = RecordedEvent { company_id: None, causation_id: None, ..event.clone() };
        for event in [event, seller_s] {
            let CloudEvent { subject, mut headers, data } = CloudEvent::of(&event, "kontor");
            let read = |subject: &str, headers: &HeaderMap| {
                CloudEvent::recorded(subject, headers, &data, "kontor")
            };
            assert_eq!(read("kontor.-.foreign", &headers), None);
            assert_eq!(read(&subject, &headers), Some(event.clone()));
            headers.insert("ce-foreign", "1");
            assert_eq!(read(&subject, &headers), None);
        }
    }
}
