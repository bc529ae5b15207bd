//! The writer's connection: its statements, prepared once, and what their failures mean.

use std::collections::HashMap;

use bytes::BytesMut;
use futures::{SinkExt, future, pin_mut};
use jiff::Timestamp;
use service_kit::postgres;
use tokio_postgres::{Client, NoTls, Row, Statement, error::SqlState};
use uuid::Uuid;

use super::{
    Advance,
    batch::{Batch, Remembered},
    copy,
    session::{Attempt, Failure, Head, Session},
};
use crate::{
    Outcome, Position,
    log::{PLANS, RUNTIME_ROLE},
};

/// Takes positions if the head is where it is believed to be, and no stream has left the version
/// at which it is believed to be. Answers and does not fail when it is not so: after a statement
/// that has failed, the COPY that is already on its way would break the connection. One snapshot
/// is enough: a head that has not moved says that nothing was written since it was learned.
const ADVANCE: &str = "\
    WITH stale AS (
        SELECT FROM unnest($4::uuid[], $5::bigint[]) AS believed(stream_id, version)
        WHERE believed.version <> coalesce(
            (SELECT max(e.version) FROM log.events e WHERE e.stream_id = believed.stream_id), 0)
    ), moved AS (
        UPDATE log.head SET position = position + $3
        WHERE position = $1 AND epoch = $2 AND NOT EXISTS (SELECT FROM stale) RETURNING position
    )
    SELECT EXISTS (SELECT FROM moved), EXISTS (SELECT FROM stale)";
const LOCK_HEAD: &str = "SELECT position, epoch FROM log.head FOR UPDATE";
const MOVE_HEAD: &str = "UPDATE log.head SET position = position + $1";
const FENCE: &str = "UPDATE log.head SET epoch = epoch + 1 RETURNING position, epoch";
const VERSIONS: &str = "\
    SELECT wanted.stream_id, present.version
    FROM unnest($1::uuid[]) AS wanted(stream_id)
    CROSS JOIN LATERAL (
        SELECT version FROM log.events e WHERE e.stream_id = wanted.stream_id
        ORDER BY version DESC LIMIT 1
    ) AS present";
const OUTCOMES: &str = "\
    SELECT command_id, digest, stream_id, version, position
    FROM log.commands WHERE command_id = ANY($1)";
const REMEMBER: &str = "\
    INSERT INTO log.commands (command_id, digest, stream_id, version, position, recorded_at)
    SELECT command_id, digest, stream_id, version, position, $6
    FROM unnest($1::uuid[], $2::bytea[], $3::uuid[], $4::bigint[], $5::bigint[])
        AS remembered(command_id, digest, stream_id, version, position)";
/// Times never go back with positions, whatever clocks of several processes say.
const NEWEST: &str = "\
    SELECT coalesce((SELECT recorded_at FROM log.events ORDER BY position DESC LIMIT 1), 'epoch')";
const EVENT_AT: &str = "SELECT event_id FROM log.events WHERE position = $1";

/// A writer that has vanished, or is stopped, must not keep the head locked. PostgreSQL ends a
/// transaction that is idle; one that waits for the rows of its COPY it would keep for ever, so
/// whoever waits too long for the head ends it (`EVICT`).
const SESSION: &str = "\
    SET idle_in_transaction_session_timeout = '5s'; SET client_connection_check_interval = '2s';
    SET lock_timeout = '3s'";
/// Ends the transactions of writers that have not been heard of for a while. Roles that may log in
/// may end their own connections; the role that writes may not.
const EVICT: &str = "\
    ROLLBACK; RESET ROLE;
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = current_setting('application_name')
        AND wait_event = 'ClientRead' AND xact_start < now() - interval '2s'";

/// A connection to PostgreSQL.
pub(super) struct Connection {
    client: Client,
    statements: Statements,
    head: Head,
    buffer: BytesMut,
}

struct Statements {
    advance: Statement,
    lock_head: Statement,
    move_head: Statement,
    fence: Statement,
    versions: Statement,
    outcomes: Statement,
    copy: Statement,
    remember: Statement,
    newest: Statement,
    event_at: Statement,
}

impl From<tokio_postgres::Error> for Failure<tokio_postgres::Error> {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.code() {
            None => Self::Lost(error),
            Some(state) if *state == SqlState::UNIQUE_VIOLATION => Self::Mistaken(error),
            Some(state) if *state == SqlState::LOCK_NOT_AVAILABLE => Self::Blocked,
            Some(state) if postgres::is_outage(state) => Self::Lost(error),
            Some(_) => Self::Refused(error),
        }
    }
}

impl Head {
    fn of(head: &Row, newest: &Row) -> Self {
        Self {
            position: Position::from_i64(head.get(0)),
            epoch: head.get(1),
            recorded_at: newest.get(0),
        }
    }
}

impl Session for Connection {
    type Server = tokio_postgres::Config;
    type Error = tokio_postgres::Error;

    async fn open(config: &tokio_postgres::Config) -> Attempt<Self, Self> {
        let (client, connection) = config.connect(NoTls).await.map_err(Failure::Lost)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "writer's connection ended"
                );
            }
        });
        client
            .batch_execute(&format!("SET ROLE {RUNTIME_ROLE}; {PLANS}; {SESSION}"))
            .await
            .map_err(Failure::Lost)?;
        let prepare = async |sql: &str| client.prepare(sql).await.map_err(Failure::Lost);
        let statements = Statements {
            advance: prepare(ADVANCE).await?,
            lock_head: prepare(LOCK_HEAD).await?,
            move_head: prepare(MOVE_HEAD).await?,
            fence: prepare(FENCE).await?,
            versions: prepare(VERSIONS).await?,
            outcomes: prepare(OUTCOMES).await?,
            copy: prepare(copy::COPY_EVENTS).await?,
            remember: prepare(REMEMBER).await?,
            newest: prepare(NEWEST).await?,
            event_at: prepare(EVENT_AT).await?,
        };
        let row = client
            .query_one("SELECT position, epoch FROM log.head", &[])
            .await
            .map_err(Failure::Lost)?;
        let newest = client.query_one(&statements.newest, &[]).await.map_err(Failure::Lost)?;
        let head = Head::of(&row, &newest);
        Ok(Self { client, statements, head, buffer: BytesMut::new() })
    }

    fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    fn head(&self) -> Head {
        self.head
    }

    async fn fence(&mut self) -> Attempt<Self> {
        let row = self.client.query_one(&self.statements.fence, &[]).await?;
        let newest = self.client.query_one(&self.statements.newest, &[]).await?;
        self.head = Head::of(&row, &newest);
        Ok(())
    }

    async fn holds(&mut self, batch: &Batch, head: Position) -> Attempt<Self, bool> {
        if let Some(first) = batch.writes().find_map(|(_, _, ids)| ids.first()) {
            let position = Position(head.0 + 1).as_i64();
            let row = self.client.query_opt(&self.statements.event_at, &[&position]).await?;
            return Ok(row.is_some_and(|row| row.get::<_, Uuid>(0) == *first));
        }
        // Outcomes without events: written again, they are found to be remembered.
        Ok(false)
    }

    async fn lock_head(&mut self) -> Attempt<Self, Head> {
        let (begun, row, newest) = future::join3(
            self.client.batch_execute("BEGIN"),
            self.client.query_one(&self.statements.lock_head, &[]),
            self.client.query_one(&self.statements.newest, &[]),
        )
        .await;
        begun?;
        self.head = Head::of(&row?, &newest?);
        Ok(self.head)
    }

    async fn versions(&mut self, streams: &[Uuid]) -> Attempt<Self, HashMap<Uuid, u64>> {
        let rows = self.client.query(&self.statements.versions, &[&streams]).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get::<_, i64>(1).unsigned_abs())).collect())
    }

    async fn outcomes(&mut self, command_ids: &[Uuid]) -> Attempt<Self, HashMap<Uuid, Remembered>> {
        if command_ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = self.client.query(&self.statements.outcomes, &[&command_ids]).await?;
        Ok(rows
            .iter()
            .map(|row| {
                let outcome = Outcome {
                    stream_id: row.get(2),
                    version: row.get::<_, i64>(3).unsigned_abs(),
                    position: Position::from_i64(row.get(4)),
                };
                (row.get(0), Remembered { digest: row.get(1), outcome })
            })
            .collect())
    }

    async fn rollback(&mut self) -> Attempt<Self> {
        Ok(self.client.batch_execute("ROLLBACK").await?)
    }

    async fn evict(&mut self) -> Attempt<Self> {
        Ok(self.client.batch_execute(&format!("{EVICT}; SET ROLE {RUNTIME_ROLE}")).await?)
    }

    async fn commit(
        &mut self,
        batch: &mut Batch,
        advance: Advance,
        now: Timestamp,
    ) -> Attempt<Self> {
        let head = self.head;
        batch.about_to_send(head.position);
        self.transact(batch, advance, now).await?;
        self.head.position = batch.last_position(head.position);
        self.head.recorded_at = now;
        Ok(())
    }
}

impl Connection {
    /// Two round trips: everything up to the start of the COPY, then the rows and everything after
    /// them.
    async fn transact(&mut self, batch: &Batch, advance: Advance, now: Timestamp) -> Attempt<Self> {
        let Self { client, statements, head, buffer } = self;
        buffer.clear();
        copy::rows(batch, head.position, now, buffer);
        let rows = buffer.split().freeze();
        let count = i64::try_from(batch.events()).unwrap_or(i64::MAX);

        let begin = async {
            match &advance {
                Advance::Expecting { head, streams, versions } => {
                    let (begun, row) = future::join(
                        client.batch_execute("BEGIN"),
                        client.query_one(
                            &statements.advance,
                            &[&head.position.as_i64(), &head.epoch, &count, streams, versions],
                        ),
                    )
                    .await;
                    begun?;
                    let row = row?;
                    match (row.get(0), row.get(1)) {
                        (true, _) => Ok(()),
                        (false, true) => Err(Failure::Doubtful),
                        (false, false) => Err(Failure::Overtaken),
                    }
                }
                Advance::Locked => {
                    client.execute(&statements.move_head, &[&count]).await?;
                    Ok(())
                }
            }
        };
        let (begun, sink) = future::join(begin, client.copy_in(&statements.copy)).await;
        begun?;
        let sink = sink?;
        pin_mut!(sink);
        sink.send(rows).await?;

        let (written, remembered, committed) = future::join3(
            sink.finish(),
            remember(client, &statements.remember, batch, now),
            client.batch_execute("COMMIT"),
        )
        .await;
        // The first failure is the cause; those after it only say that the transaction is void.
        written?;
        remembered?;
        Ok(committed?)
    }
}

async fn remember(
    client: &Client,
    statement: &Statement,
    batch: &Batch,
    now: Timestamp,
) -> Result<(), tokio_postgres::Error> {
    let mut ids: Vec<Uuid> = Vec::new();
    let mut digests: Vec<Vec<u8>> = Vec::new();
    let mut streams: Vec<Uuid> = Vec::new();
    let mut versions: Vec<i64> = Vec::new();
    let mut positions: Vec<i64> = Vec::new();
    for (append, outcome, _) in batch.writes() {
        let Some(digest) = append.envelope.remember else { continue };
        ids.push(append.envelope.command_id);
        digests.push(digest.to_vec());
        streams.push(outcome.stream_id);
        versions.push(outcome.version.cast_signed());
        positions.push(outcome.position.as_i64());
    }
    if ids.is_empty() {
        return Ok(());
    }
    client
        .execute(statement, &[&ids, &digests, &streams, &versions, &positions, &now])
        .await
        .map(|_| ())
}
