//! Reading history: by position, by stream, and as the state that a stream adds up to.

use std::{collections::HashMap, sync::Arc};

use cqrs_es::{Aggregate, DomainEvent};
use domain::OfCompany;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{Error, EventLog, Outcome, Position, RecordedEvent, append::Append, cache::Loaded};

const PAGE: &str = "\
    SELECT position, event_id, stream_type, stream_id, version, event_type, schema_version,
        company_id, actor, command_id, correlation_id, causation_id, recorded_at, payload
    FROM log.events WHERE position > $1 ORDER BY position LIMIT $2";
const PAGE_OF_COMPANY: &str = "\
    SELECT position, event_id, stream_type, stream_id, version, event_type, schema_version,
        company_id, actor, command_id, correlation_id, causation_id, recorded_at, payload
    FROM log.events WHERE position > $1 AND company_id = $3 ORDER BY position LIMIT $2";
const STREAM: &str = "\
    SELECT position, event_id, stream_type, stream_id, version, event_type, schema_version,
        company_id, actor, command_id, correlation_id, causation_id, recorded_at, payload
    FROM log.events WHERE stream_id = $1 AND version > $2 ORDER BY version LIMIT $3";
const STATES: &str = "\
    SELECT stream_id, version, payload, event_type, schema_version FROM log.events
    WHERE stream_id = ANY($1) AND stream_type = $2 ORDER BY stream_id, version";
const OUTCOME: &str = "\
    SELECT digest, stream_id, version, position FROM log.commands WHERE command_id = $1";

impl EventLog {
    /// Up to `limit` events after a position, in order.
    pub async fn read(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, Error> {
        let client = self.reader().await?;
        let statement = client.prepare_cached(PAGE).await?;
        let rows = client.query(&statement, &[&after.as_i64(), &as_limit(limit)]).await?;
        Ok(rows.iter().map(recorded_event).collect())
    }

    /// The same, of one company's history alone; of all history without a company.
    pub async fn read_of_company(
        &self,
        company: Option<Uuid>,
        after: Position,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, Error> {
        let Some(company) = company else { return self.read(after, limit).await };
        let client = self.reader().await?;
        let statement = client.prepare_cached(PAGE_OF_COMPANY).await?;
        let rows = client.query(&statement, &[&after.as_i64(), &as_limit(limit), &company]).await?;
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

    /// What a command was answered, if it is remembered.
    pub async fn outcome(&self, command_id: Uuid) -> Result<Option<Outcome>, Error> {
        Ok(self.remembered(command_id).await?.map(|(_, outcome)| outcome))
    }

    /// What a command was answered, with the digest of its request.
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

    /// The state of an aggregate: from memory, which may be stale, else from its stream.
    pub async fn load<A: Aggregate + OfCompany + Clone + 'static>(
        &self,
        id: Uuid,
    ) -> Result<Arc<Loaded<A>>, Error> {
        match self.cache().get::<A>(id) {
            Some(loaded) => Ok(loaded),
            None => {
                let loaded = self.replay::<A>(&[id]).await?.remove(&id).unwrap_or_default();
                let loaded = Arc::new(loaded);
                self.cache().put(id, loaded.clone());
                Ok(loaded)
            }
        }
    }

    /// The states of many aggregates, with one query for all that are not in memory. Those that
    /// do not exist come at version 0.
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
            let mut replayed = self.replay::<A>(&missing).await?;
            for id in missing {
                let loaded = Arc::new(replayed.remove(&id).unwrap_or_default());
                self.cache().put(id, loaded.clone());
                states.insert(id, loaded);
            }
        }
        Ok(states)
    }

    async fn replay<A: Aggregate>(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, Loaded<A>>, Error> {
        let client = self.reader().await?;
        let statement = client.prepare_cached(STATES).await?;
        let mut states: HashMap<Uuid, Loaded<A>> = HashMap::new();
        for row in client.query(&statement, &[&ids, &A::TYPE]).await? {
            let (stream_id, version): (Uuid, i64) = (row.get(0), row.get(1));
            let version = version.unsigned_abs();
            let unreadable = |source| Error::Unreadable { stream_id, version, source };
            let event: A::Event = serde_json::from_str(row.get(2)).map_err(unreadable)?;
            // What this build reads must be what was meant: a newer build's event may look alike.
            let (kind, schema): (&str, i16) = (row.get(3), row.get(4));
            if event.event_type() != kind || event.event_version() != schema.to_string() {
                let problem = format!("{kind} version {schema} is not known to this build");
                return Err(unreadable(serde::de::Error::custom(problem)));
            }
            let loaded = states.entry(stream_id).or_default();
            loaded.state.apply(event);
            loaded.version = version;
            loaded.bytes += row.get::<_, &str>(2).len() as u64;
        }
        Ok(states)
    }
}

fn as_limit(limit: usize) -> i64 {
    i64::try_from(limit.clamp(1, Append::MAX_EVENTS)).unwrap_or(1)
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
