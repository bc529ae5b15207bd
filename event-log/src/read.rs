//! Reads of events by position and by stream, and of aggregates as the fold of their streams.

use std::{collections::HashMap, sync::Arc};

use cqrs_es::Aggregate;
use domain::{OfCompany, characters, upcaster};
use futures::{TryStreamExt, pin_mut};
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use crate::{Error, EventLog, Outcome, Position, RecordedEvent, cache::Loaded};

const PAGE: &str = "\
    SELECT position, event_id, stream_type, stream_id, version, event_type, schema_version,
        company_id, actor, command_id, correlation_id, causation_id, recorded_at, payload
    FROM log.events WHERE position > $1 ORDER BY position LIMIT $2";
/// The events of some types of aggregates in a range of positions, and the last event of the range,
/// of whatever type. One snapshot answers all of it, and positions are in commit order: what commits
/// meanwhile is after the range.
const PAGE_OF: &str = "\
    WITH range AS MATERIALIZED (
        SELECT least($4, (SELECT max(position) FROM log.events)) AS last)
    SELECT position, event_id, stream_type, stream_id, version, event_type, schema_version,
        company_id, actor, command_id, correlation_id, causation_id, recorded_at, payload
    FROM log.events
    WHERE position > $1 AND position <= (SELECT last FROM range)
        AND (stream_type = ANY($2) OR position = (SELECT last FROM range))
    ORDER BY position LIMIT $3";
const STREAM: &str = "\
    SELECT position, event_id, stream_type, stream_id, version, event_type, schema_version,
        company_id, actor, command_id, correlation_id, causation_id, recorded_at, payload
    FROM log.events WHERE stream_id = $1 AND version > $2 ORDER BY version LIMIT $3";
/// A stretch of one stream: no more events than fit into so many bytes, but one at least. How long
/// a payload is, PostgreSQL knows without reading it.
const STRETCH: &str = "\
    SELECT position, event_id, stream_type, stream_id, version, event_type, schema_version,
        company_id, actor, command_id, correlation_id, causation_id, recorded_at, payload
    FROM (
        SELECT *, sum(octet_length(payload)) OVER (ORDER BY version)
            - octet_length(payload) AS before
        FROM (SELECT * FROM log.events WHERE stream_id = $1 AND version > $2
            ORDER BY version LIMIT $3) AS next) AS stretch
    WHERE before < $4 ORDER BY version";
/// Of each stream its snapshot, if these rules have made one, and the events after it. A snapshot
/// comes without an event type. No stream may be named twice: it would come twice.
const STATES: &str = "\
    WITH wanted AS MATERIALIZED (
        SELECT wanted.stream_id, taken.version, taken.state
        FROM unnest($1::uuid[]) AS wanted(stream_id)
        LEFT JOIN log.snapshots taken ON taken.stream_id = wanted.stream_id
            AND taken.stream_type = $2 AND taken.rules = $3)
    SELECT stream_id, version, state, NULL, NULL FROM wanted WHERE state IS NOT NULL
    UNION ALL
    SELECT wanted.stream_id, since.version, since.payload, since.event_type, since.schema_version
    FROM wanted CROSS JOIN LATERAL (
        SELECT version, payload, event_type, schema_version FROM log.events e
        WHERE e.stream_id = wanted.stream_id AND e.version > coalesce(wanted.version, 0)
            AND e.stream_type = $2) AS since
    ORDER BY 1, 2";
const OUTCOME: &str = "\
    SELECT digest, stream_id, version, position FROM log.commands WHERE command_id = $1";

impl EventLog {
    /// The most events that are read at once.
    pub const PAGE: usize = 10_000;
    /// The range of positions in which events of some types are looked for at once.
    const RANGE: i64 = 10_000;
    /// Where payloads may be long, no more is read at once than this, and one event.
    const STRETCH_BYTES: i64 = 1 << 20;

    /// Up to `limit` events after a position, in order.
    pub async fn read(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, Error> {
        let client = self.reader().await?;
        let statement = client.prepare_cached(PAGE).await?;
        let rows = client.query(&statement, &[&after.as_i64(), &as_limit(limit)]).await?;
        Ok(rows.iter().map(recorded_event).collect())
    }

    /// Up to `limit` events of some types of aggregates after a position, in order, no further than
    /// `to`. Only a range of positions is read. Its last event is returned whatever its type, so that
    /// a reader who finds nothing knows where to continue; no other event of another type is.
    /// Between two returned events there is none of these types, and none at all says that the log,
    /// or `to`, is reached.
    pub async fn read_of(
        &self,
        types: &[&str],
        after: Position,
        limit: usize,
        to: Option<Position>,
    ) -> Result<Vec<RecordedEvent>, Error> {
        let client = self.reader().await?;
        let statement = client.prepare_cached(PAGE_OF).await?;
        let end = after.as_i64().saturating_add(Self::RANGE);
        let last = to.map_or(end, |to| end.min(to.as_i64()));
        let parameters: [&(dyn ToSql + Sync); 4] =
            [&after.as_i64(), &types, &as_limit(limit), &last];
        let rows = client.query(&statement, &parameters).await?;
        Ok(rows.iter().map(recorded_event).collect())
    }

    /// Up to `limit` events of one stream after a version, in order.
    pub async fn read_stream(
        &self,
        stream_id: Uuid,
        after_version: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, Error> {
        let client = self.reader().await?;
        let statement = client.prepare_cached(STREAM).await?;
        let after = after_version.cast_signed();
        let rows = client.query(&statement, &[&stream_id, &after, &as_limit(limit)]).await?;
        Ok(rows.iter().map(recorded_event).collect())
    }

    /// The events of one stream after a version, in order, as far as they are read at once; none
    /// says that there are no more.
    pub(crate) async fn stretch(
        &self,
        stream_id: Uuid,
        after_version: u64,
    ) -> Result<Vec<RecordedEvent>, Error> {
        let client = self.reader().await?;
        let statement = client.prepare_cached(STRETCH).await?;
        let (after, limit) = (after_version.cast_signed(), as_limit(1_000));
        let parameters: [&(dyn ToSql + Sync); 4] =
            [&stream_id, &after, &limit, &Self::STRETCH_BYTES];
        let rows = client.query(&statement, &parameters).await?;
        Ok(rows.iter().map(recorded_event).collect())
    }

    /// The stored outcome of a command, if any.
    pub async fn outcome(&self, command_id: Uuid) -> Result<Option<Outcome>, Error> {
        Ok(self.remembered(command_id).await?.map(|(_, outcome)| outcome))
    }

    /// The stored outcome of a command, with the digest of its request.
    pub(crate) async fn remembered(
        &self,
        command_id: Uuid,
    ) -> Result<Option<(Vec<u8>, Outcome)>, Error> {
        let client = self.reader().await?;
        let statement = client.prepare_cached(OUTCOME).await?;
        let row = client.query_opt(&statement, &[&command_id]).await?;
        Ok(row.map(|row| {
            let outcome = Outcome {
                stream_id: row.get(1),
                version: row.get::<_, i64>(2).unsigned_abs(),
                position: Position::from_i64(row.get(3)),
            };
            (row.get(0), outcome)
        }))
    }

    /// The state of an aggregate: from the cache, which may be stale, else from its stream.
    pub async fn load<A: Aggregate + OfCompany + Clone + 'static>(
        &self,
        id: Uuid,
    ) -> Result<Arc<Loaded<A>>, Error> {
        match self.cache().get::<A>(id) {
            Some(loaded) => Ok(loaded),
            None => {
                let loaded = self.replay::<A>(&[id]).await?.remove(&id).unwrap_or_default();
                Ok(self.keep(id, loaded))
            }
        }
    }

    /// The states of many aggregates, with one query for all that are not cached. Those that do not
    /// exist have version 0.
    pub async fn load_many<A: Aggregate + OfCompany + Clone + 'static>(
        &self,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Arc<Loaded<A>>>, Error> {
        let mut states = HashMap::with_capacity(ids.len());
        let mut missing = Vec::new();
        for &id in ids {
            match self.cache().get::<A>(id) {
                Some(loaded) => {
                    states.insert(id, loaded);
                }
                None => missing.push(id),
            }
        }
        if !missing.is_empty() {
            // A stream that is named twice would be replayed twice.
            missing.sort_unstable();
            missing.dedup();
            let mut replayed = self.replay::<A>(&missing).await?;
            for id in missing {
                states.insert(id, self.keep(id, replayed.remove(&id).unwrap_or_default()));
            }
        }
        Ok(states)
    }

    /// The current state of an aggregate, also if another process has changed it.
    pub async fn newest<A: Aggregate + OfCompany + Clone + 'static>(
        &self,
        id: Uuid,
    ) -> Result<Arc<Loaded<A>>, Error> {
        Ok(self.newest_many::<A>(&[id]).await?.remove(&id).unwrap_or_default())
    }

    /// The same for many, with one query if none was changed by another process. Decisions do not
    /// need this: the append checks the versions.
    pub async fn newest_many<A: Aggregate + OfCompany + Clone + 'static>(
        &self,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Arc<Loaded<A>>>, Error> {
        let states = self.load_many::<A>(ids).await?;
        let seen: Vec<_> = states.iter().map(|(id, loaded)| (*id, loaded.version)).collect();
        if self.are_current(&seen).await? {
            return Ok(states);
        }
        let ids: Vec<Uuid> = states.into_keys().collect();
        let mut replayed = self.replay::<A>(&ids).await?;
        let newest = |id: Uuid| (id, self.keep(id, replayed.remove(&id).unwrap_or_default()));
        Ok(ids.into_iter().map(newest).collect())
    }

    async fn replay<A: Aggregate + OfCompany>(
        &self,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Loaded<A>>, Error> {
        match self.replay_by::<A>(ids, A::SNAPSHOT).await {
            Err(Error::SnapshotUnreadable { stream_id, source }) => {
                tracing::warn!(%stream_id, %source, "a snapshot cannot be read; its stream is");
                // No rules: no snapshots.
                self.replay_by::<A>(ids, 0).await
            }
            states => states,
        }
    }

    /// With the help of snapshots that these rules have made.
    async fn replay_by<A: Aggregate + OfCompany>(
        &self,
        ids: &[Uuid],
        rules: u64,
    ) -> Result<HashMap<Uuid, Loaded<A>>, Error> {
        let client = self.reader().await?;
        let statement = client.prepare_cached(STATES).await?;
        let rules = rules.cast_signed();
        let parameters: [&(dyn ToSql + Sync); 3] = [&ids, &A::TYPE, &rules];
        let rows = client.query_raw(&statement, parameters).await?;
        pin_mut!(rows);
        let mut states: HashMap<Uuid, Loaded<A>> = HashMap::new();
        while let Some(row) = rows.try_next().await? {
            let (stream_id, version): (Uuid, i64) = (row.get(0), row.get(1));
            let (version, text): (u64, &str) = (version.unsigned_abs(), row.get(2));
            let loaded = states.entry(stream_id).or_default();
            match row.get::<_, Option<&str>>(3) {
                None => {
                    loaded.state = characters::stored(|| serde_json::from_str(text))
                        .map_err(|source| Error::SnapshotUnreadable { stream_id, source })?;
                    loaded.snapshot = version;
                }
                Some(kind) => {
                    let schema = row.get::<_, i16>(4).unsigned_abs();
                    let event = upcaster::read::<A>(kind, schema, text)
                        .map_err(|source| Error::Unreadable { stream_id, version, source })?;
                    loaded.state.apply(event);
                }
            }
            loaded.version = version;
            loaded.bytes += text.len() as u64;
        }
        Ok(states)
    }
}

fn as_limit(limit: usize) -> i64 {
    i64::try_from(limit.clamp(1, EventLog::PAGE)).unwrap_or(1)
}

pub(crate) fn recorded_event(row: &Row) -> RecordedEvent {
    RecordedEvent {
        position: Position::from_i64(row.get(0)),
        event_id: row.get(1),
        stream_type: row.get(2),
        stream_id: row.get(3),
        version: row.get::<_, i64>(4).unsigned_abs(),
        event_type: row.get(5),
        schema_version: row.get::<_, i16>(6).unsigned_abs(),
        company_id: row.get(7),
        actor: row.get(8),
        command_id: row.get(9),
        correlation_id: row.get(10),
        causation_id: row.get(11),
        recorded_at: row.get(12),
        payload: row.get(13),
    }
}
