//! Reading all of history at full speed: PostgreSQL's binary COPY, read as it comes.

use std::pin::Pin;

use bytes::{Buf, Bytes, BytesMut};
use futures::{
    Stream, StreamExt, TryStreamExt,
    stream::{self, Fuse},
};
use jiff::Timestamp;
use tokio_postgres::CopyOutStream;
use uuid::Uuid;

use crate::{Error, EventLog, Position, RecordedEvent};

/// Everything after a position, in order. COPY takes no parameters; a position is a number.
macro_rules! copy {
    () => {
        "COPY (SELECT position, event_id, stream_type, stream_id, version, event_type, \
        schema_version, company_id, actor, command_id, correlation_id, causation_id, recorded_at, \
        payload FROM log.events WHERE position > {} AND position <= {} ORDER BY position) \
        TO STDOUT (FORMAT binary)"
    };
}

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
const COLUMNS: i16 = 14;
/// 2000-01-01, from which PostgreSQL counts, in microseconds after 1970-01-01.
const PG_EPOCH_MICROS: i64 = 946_684_800_000_000;

impl EventLog {
    /// Everything after a position up to the head of now, in order and in portions as they come
    /// over the wire: for reading all, not for following. A stretch at a time, since a snapshot
    /// that PostgreSQL has to keep for long slows every append down.
    pub fn scan(&self, after: Position) -> impl Stream<Item = Result<Vec<RecordedEvent>, Error>> {
        let log = self.clone();
        let stretches = stream::once(async move {
            let head = log.head().await?;
            let ends = (after.0..head.0).step_by(STRETCH);
            let stretches = ends.map(move |from| (from, head.0.min(from + STRETCH as u64)));
            Ok::<_, Error>(stream::iter(stretches.map(Ok)).and_then(move |(from, to)| {
                let log = log.clone();
                async move { log.stretch(Position(from), Position(to)).await }
            }))
        });
        stretches.try_flatten().try_flatten()
    }

    async fn stretch(
        &self,
        after: Position,
        upto: Position,
    ) -> Result<impl Stream<Item = Result<Vec<RecordedEvent>, Error>> + use<>, Error> {
        let client = self.reader().await?;
        let copy = format!(copy!(), after.as_i64(), upto.as_i64());
        let rows = Box::pin(client.copy_out(&copy).await?.fuse());
        let reading = Reading { rows, unread: BytesMut::new(), begun: false };
        Ok(stream::try_unfold((client, reading), async |(client, mut reading)| {
            let portion = reading.portion().await?;
            Ok(portion.map(|portion| (portion, (client, reading))))
        }))
    }
}

/// How many positions one COPY reads.
const STRETCH: usize = 200_000;

struct Reading {
    rows: Pin<Box<Fuse<CopyOutStream>>>,
    /// What of the wire is no whole row yet.
    unread: BytesMut,
    begun: bool,
}

impl Reading {
    /// How much of the wire makes a portion, in bytes.
    const PORTION: usize = 256 << 10;

    /// The next rows; `None` after the last.
    async fn portion(&mut self) -> Result<Option<Vec<RecordedEvent>>, Error> {
        while let Some(part) = self.rows.next().await {
            self.unread.extend_from_slice(&part?);
            if self.unread.len() >= Self::PORTION {
                let events = self.events()?;
                if !events.is_empty() {
                    return Ok(Some(events));
                }
            }
        }
        let events = self.events()?;
        Ok((!events.is_empty()).then_some(events))
    }

    fn events(&mut self) -> Result<Vec<RecordedEvent>, Error> {
        if !self.begun {
            self.begin()?;
        }
        let mut events = Vec::new();
        // PostgreSQL sends a row a message, so whatever has come is whole.
        let mut wire = self.unread.split().freeze();
        while wire.has_remaining() {
            match wire.get_i16() {
                -1 => break,
                COLUMNS => events.push(event(&mut wire)?),
                _ => return Err(Error::Garbled),
            }
        }
        Ok(events)
    }

    fn begin(&mut self) -> Result<(), Error> {
        if self.unread.is_empty() {
            return Ok(());
        }
        let header = SIGNATURE.len() + 8;
        if self.unread.len() < header || !self.unread.starts_with(SIGNATURE) {
            return Err(Error::Garbled);
        }
        self.unread.advance(header);
        self.begun = true;
        Ok(())
    }
}

fn event(wire: &mut Bytes) -> Result<RecordedEvent, Error> {
    Ok(RecordedEvent {
        position: Position::from_i64(long(wire)?),
        event_id: id(wire)?.ok_or(Error::Garbled)?,
        stream_type: text(wire)?,
        stream_id: id(wire)?.ok_or(Error::Garbled)?,
        version: long(wire)?.unsigned_abs(),
        event_type: text(wire)?,
        schema_version: field(wire)?
            .and_then(|mut field| field.try_get_i16().ok())
            .ok_or(Error::Garbled)?
            .unsigned_abs(),
        company_id: id(wire)?,
        actor: text(wire)?,
        command_id: id(wire)?.ok_or(Error::Garbled)?,
        correlation_id: id(wire)?.ok_or(Error::Garbled)?,
        causation_id: id(wire)?,
        recorded_at: Timestamp::from_microsecond(long(wire)? + PG_EPOCH_MICROS)
            .map_err(|_| Error::Garbled)?,
        payload: text(wire)?,
    })
}

/// A field, or `None` for null.
fn field(wire: &mut Bytes) -> Result<Option<Bytes>, Error> {
    let length = wire.try_get_i32().map_err(|_| Error::Garbled)?;
    match usize::try_from(length) {
        Err(_) => Ok(None),
        Ok(length) if length <= wire.len() => Ok(Some(wire.split_to(length))),
        Ok(_) => Err(Error::Garbled),
    }
}

fn long(wire: &mut Bytes) -> Result<i64, Error> {
    field(wire)?.and_then(|mut field| field.try_get_i64().ok()).ok_or(Error::Garbled)
}

fn id(wire: &mut Bytes) -> Result<Option<Uuid>, Error> {
    field(wire)?.map(|field| Uuid::from_slice(&field).map_err(|_| Error::Garbled)).transpose()
}

fn text(wire: &mut Bytes) -> Result<String, Error> {
    let field = field(wire)?.ok_or(Error::Garbled)?;
    String::from_utf8(field.to_vec()).map_err(|_| Error::Garbled)
}
