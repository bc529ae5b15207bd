//! Rows of `log.events` in PostgreSQL's binary COPY format, written into one buffer.

use bytes::{BufMut, BytesMut};
use jiff::Timestamp;
use uuid::Uuid;

use super::batch::Batch;
use crate::Position;

pub(super) const COPY_EVENTS: &str = "\
    COPY log.events (position, event_id, stream_type, stream_id, version, event_type, \
    schema_version, company_id, actor, command_id, correlation_id, causation_id, recorded_at, \
    payload) FROM STDIN (FORMAT binary)";

const COLUMNS: i16 = 14;

/// Encodes all events that the batch writes after `head`.
pub(super) fn rows(batch: &Batch, head: Position, recorded_at: Timestamp, buffer: &mut BytesMut) {
    buffer.put_slice(b"PGCOPY\n\xff\r\n\0");
    buffer.put_i32(0);
    buffer.put_i32(0);
    let mut position = head.as_i64();
    let micros = recorded_at.as_microsecond() - PG_EPOCH_MICROS;
    for (append, _, event_ids) in batch.writes() {
        let envelope = &append.envelope;
        let mut event_ids = event_ids.iter();
        for write in &append.writes {
            let mut version = write.expected.cast_signed();
            for (event, event_id) in write.events.iter().zip(&mut event_ids) {
                position += 1;
                version += 1;
                buffer.put_i16(COLUMNS);
                put_i64(buffer, position);
                put_uuid(buffer, Some(*event_id));
                put_text(buffer, write.stream_type);
                put_uuid(buffer, Some(write.stream_id));
                put_i64(buffer, version);
                put_text(buffer, &event.event_type);
                buffer.put_i32(2);
                buffer.put_i16(event.schema_version.cast_signed());
                put_uuid(buffer, write.company_id);
                put_text(buffer, &envelope.actor);
                put_uuid(buffer, Some(envelope.command_id));
                put_uuid(buffer, Some(envelope.correlation_id));
                put_uuid(buffer, envelope.causation_id);
                put_i64(buffer, micros);
                put_text(buffer, &event.payload);
            }
        }
    }
    buffer.put_i16(-1);
}

/// 2000-01-01, from which PostgreSQL counts, in microseconds after 1970-01-01.
const PG_EPOCH_MICROS: i64 = 946_684_800_000_000;

fn put_i64(buffer: &mut BytesMut, value: i64) {
    buffer.put_i32(8);
    buffer.put_i64(value);
}

fn put_uuid(buffer: &mut BytesMut, value: Option<Uuid>) {
    match value {
        Some(id) => {
            buffer.put_i32(16);
            buffer.put_slice(id.as_bytes());
        }
        None => buffer.put_i32(-1),
    }
}

fn put_text(buffer: &mut BytesMut, text: &str) {
    buffer
        .put_u32(u32::try_from(text.len()).expect("payloads are checked to be a few MiB at most"));
    buffer.put_slice(text.as_bytes());
}
