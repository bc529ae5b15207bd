//! Gives a log that was restored to an earlier state its lost end back, from the stream.
//!
//! A message carries all that was recorded about its event, so the events come back exactly as
//! they were. What their commands were answered does not: of a policy's command it can be derived;
//! anybody else's is stored without the digest of its request, so that it is not carried out again.

use std::pin::Pin;

use async_nats::jetstream::{
    self,
    consumer::{DeliverPolicy, pull::OrderedConfig},
    stream::Stream,
};
use futures::{StreamExt, pin_mut};
use tokio_postgres::{Client, Transaction, binary_copy::BinaryCopyInWriter, types::Type};

use crate::{
    EventLog, Position, RecordedEvent,
    cloud_event::CloudEvent,
    relay::{
        RelayConfig,
        tail::{event_at, recorded_at},
    },
};

/// Keeps every writer out: whoever wants to append waits for this row.
const HEAD: &str = "SELECT position FROM log.head FOR UPDATE";
const COPY: &str = "\
    COPY log.events (position, event_id, stream_type, stream_id, version, event_type, \
    schema_version, company_id, actor, command_id, correlation_id, causation_id, recorded_at, \
    payload) FROM STDIN (FORMAT binary)";
const TYPES: [Type; 14] = [
    Type::INT8,
    Type::UUID,
    Type::TEXT,
    Type::UUID,
    Type::INT8,
    Type::TEXT,
    Type::INT2,
    Type::UUID,
    Type::TEXT,
    Type::UUID,
    Type::UUID,
    Type::UUID,
    Type::TIMESTAMPTZ,
    Type::TEXT,
];
const GAP: &str = "\
    SELECT position FROM log.events e
    WHERE position > $1 AND version > 1 AND NOT EXISTS (
        SELECT FROM log.events p WHERE p.stream_id = e.stream_id AND p.version = e.version - 1)
    ORDER BY position LIMIT 1";
/// The digest of a policy's command is that of its cause. No request has the digest zero: whoever
/// repeats a command of anybody else is refused, rather than obeyed twice.
const REMEMBER: &str = "\
    INSERT INTO log.commands (command_id, digest, stream_id, version, position, recorded_at)
    SELECT DISTINCT ON (command_id) command_id,
        coalesce(sha256(uuid_send(causation_id)), decode(repeat('00', 32), 'hex')),
        stream_id, version, max(position) OVER (PARTITION BY command_id), recorded_at
    FROM log.events WHERE position > $1 ORDER BY command_id, position
    ON CONFLICT DO NOTHING";
const MOVE_HEAD: &str = "UPDATE log.head SET position = $1, epoch = epoch + 1";
const FORGET_SNAPSHOTS: &str = "DELETE FROM log.snapshots";

/// What was recovered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Where the log ended.
    pub before: Position,
    /// Where it ends now.
    pub now: Position,
    /// How many sequences of the stream lie beyond that: a message that is missing, or is no event
    /// of this history, ends what can be recovered.
    pub left: u64,
}

/// Why nothing was recovered.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The log has gone on by itself since it lost its end.
    #[error(
        "history has forked: log and stream agree up to {agreed}; then the log has {in_log} events \
         and the stream {in_stream} others"
    )]
    Forked {
        /// The last event that both have.
        agreed: Position,
        /// How many events the log has after it.
        in_log: u64,
        /// How many messages the stream has after it.
        in_stream: u64,
    },
    /// An event of the stream does not follow from those of the log.
    #[error("event {0} of the stream does not follow the versions of its stream in the log")]
    Gap(Position),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] crate::Error),
    /// PostgreSQL refused.
    #[error("PostgreSQL refused what was to be recovered")]
    Database(#[from] tokio_postgres::Error),
    /// NATS does not answer, or has no such stream.
    #[error("the stream cannot be read: {0}")]
    Stream(String),
}

fn unread(error: impl std::fmt::Display) -> RecoverError {
    RecoverError::Stream(error.to_string())
}

/// Appends to the log what the stream has beyond its head, all or nothing. The client owns the log,
/// which may be in use: writers wait, and then go on at its new end.
pub async fn recover(
    client: &mut Client,
    log: &EventLog,
    jetstream: &jetstream::Context,
    config: &RelayConfig,
) -> Result<Recovered, RecoverError> {
    let stream = jetstream.get_stream(&config.stream).await.map_err(unread)?;
    let last = stream.get_info().await.map_err(unread)?.state.last_sequence;
    let transaction = client.transaction().await?;
    let before = Position::from_i64(transaction.query_one(HEAD, &[]).await?.get(0));
    check_overlap(log, &stream, config, before, Position(last)).await?;
    let now = copy(&transaction, &stream, config, before, last).await?;
    let after = before.as_i64();
    if let Some(row) = transaction.query_opt(GAP, &[&after]).await? {
        return Err(RecoverError::Gap(Position::from_i64(row.get(0))));
    }
    transaction.execute(REMEMBER, &[&after]).await?;
    transaction.execute(MOVE_HEAD, &[&now.as_i64()]).await?;
    transaction.batch_execute(FORGET_SNAPSHOTS).await?;
    transaction.commit().await?;
    Ok(Recovered { before, now, left: last.saturating_sub(now.0) })
}

/// Only an end that continues the log's own last event belongs to it. Ids are never used twice, so
/// where that event is the same, all before it are.
async fn check_overlap(
    log: &EventLog,
    stream: &Stream,
    config: &RelayConfig,
    head: Position,
    last: Position,
) -> Result<(), RecoverError> {
    let agrees = async |at: Position| -> Result<bool, RecoverError> {
        let published = event_at(stream, at.0, &config.subject_prefix).await.map_err(unread)?;
        Ok(published.is_some() && published == recorded_at(log, at).await?)
    };
    let end = head.min(last);
    if end == Position::START || agrees(end).await? {
        return Ok(());
    }
    // Up to some position they agree, and from there on never again.
    let (mut agreed, mut differs) = (Position::START, end);
    while differs.0 - agreed.0 > 1 {
        let middle = Position(agreed.0.midpoint(differs.0));
        if agrees(middle).await? { agreed = middle } else { differs = middle }
    }
    let (in_log, in_stream) = (head.0 - agreed.0, last.0 - agreed.0);
    Err(RecoverError::Forked { agreed, in_log, in_stream })
}

/// Copies the events that follow the head, up to the first message that is none; says how far.
async fn copy(
    transaction: &Transaction<'_>,
    stream: &Stream,
    config: &RelayConfig,
    head: Position,
    last: u64,
) -> Result<Position, RecoverError> {
    let mut reached = head;
    if last <= head.0 {
        return Ok(reached);
    }
    let from = DeliverPolicy::ByStartSequence { start_sequence: head.0 + 1 };
    let consumer = OrderedConfig { deliver_policy: from, ..OrderedConfig::default() };
    let consumer = stream.create_consumer(consumer).await.map_err(unread)?;
    let mut messages = consumer.messages().await.map_err(unread)?;
    let rows = BinaryCopyInWriter::new(transaction.copy_in(COPY).await?, &TYPES);
    pin_mut!(rows);
    while reached.0 < last {
        let message = messages.next().await.ok_or_else(|| unread("it ended"))?.map_err(unread)?;
        let headers = message.headers.clone().unwrap_or_default();
        let event = CloudEvent::recorded(
            &message.subject,
            &headers,
            &message.payload,
            &config.subject_prefix,
        );
        let Some(event) = event.filter(|event| event.position.0 == reached.0 + 1) else { break };
        write(rows.as_mut(), &event).await?;
        reached = event.position;
    }
    rows.finish().await?;
    Ok(reached)
}

async fn write(
    rows: Pin<&mut BinaryCopyInWriter>,
    event: &RecordedEvent,
) -> Result<(), tokio_postgres::Error> {
    rows.write(&[
        &event.position.as_i64(),
        &event.event_id,
        &event.stream_type,
        &event.stream_id,
        &event.version.cast_signed(),
        &event.event_type,
        &event.schema_version.cast_signed(),
        &event.company_id,
        &event.actor,
        &event.command_id,
        &event.correlation_id,
        &event.causation_id,
        &event.recorded_at,
        &event.payload,
    ])
    .await
}
